import { mark, page } from '../../src/testing/index.js';
import { asking, packets } from '../support/asking.js';

/** The first column of the initiator's table: what happens while it waits for the ACK. */
export const pages = [
  page({
    ...asking(),
    title: 'ACK, then REP',
    sentence:
      'The target acknowledges the request and answers it; the answer is acknowledged, and the handle is closed before the user gets it.',
    picture: `
      target                     --A-R
      initiator                  Q---(AC)
      initiator waiting for ACK  ^-!
      initiator waiting for REP  --^-!
      answers                    ----(r|)
    `,
    legend: packets,
  }),

  page({
    ...asking(),
    title: 'REP instead of the ACK',
    sentence:
      'A REP while the initiator waits for the ACK shows that the ACK was lost: it is taken like any other REP.',
    picture: `
      target                     --R
      initiator                  Q-(AC)
      initiator waiting for ACK  ^-!
      answers                    --(r|)
    `,
    legend: packets,
  }),

  page({
    ...asking(),
    title: 'PREP instead of the ACK',
    sentence:
      'A PREP while the initiator waits for the ACK shows that the ACK was lost; the wait is for the REP from there on.',
    picture: `
      target                     --P 10s R
      initiator                  Q-- 10s (AC)
      initiator waiting for ACK  ^-!
      initiator waiting for REP  --^ 10s !
      answers                    --p 10s (r|)
    `,
    legend: packets,
  }),

  page({
    ...asking(),
    title: 'NAK instead of the ACK',
    sentence:
      'A NAK ends the request with the reason of the target; nothing is sent but the close of the handle.',
    picture: `
      target     --N
      initiator  Q-C
      answers    --#
    `,
    legend: { ...packets, '#': mark.failure('REFUSED') },
  }),

  page({
    ...asking(),
    title: 'Other packets instead of the ACK',
    sentence: 'A packet that only a target should get, or one of an unknown type, is ignored.',
    picture: `
      target     --Q-X-A-R
      initiator  Q-------(AC)
      answers    --------(r|)
    `,
    legend: { ...packets, X: mark.bogus(7) },
  }),

  page({
    ...asking(),
    title: 'No ACK',
    sentence:
      'A request that is not acknowledged is sent again after 10 s, three times in all; 10 s after the last one it fails.',
    picture: `
      target                     -
      initiator                  Q 9s 999ms Q 9s 999ms Q 9s 999ms C
      initiator waiting for ACK  ^ 29s 999ms               !
      answers                    30s                       #
    `,
    legend: { ...packets, '#': mark.failure('ACK_TIMEOUT') },
  }),

  page({
    ...asking(),
    title: 'A late ACK',
    sentence: 'An ACK after the second REQ counts like one after the first.',
    picture: `
      target                     15s                 A-R
      initiator                  Q 9s 999ms Q 4s 999ms --(AC)
      initiator waiting for ACK  ^ 14s 999ms         !
      answers                    15s                 --(r|)
    `,
    legend: packets,
  }),

  page({
    ...asking({ ackTimeout: 2_000, requestTries: 1 }),
    title: 'No ACK, one try',
    sentence: 'The time to wait for the ACK and the number of tries are options.',
    picture: `
      target     -
      initiator  Q 1s 999ms C
      answers    2s         #
    `,
    legend: { ...packets, '#': mark.failure('ACK_TIMEOUT') },
  }),

  page({
    ...asking(),
    title: 'The connection breaks before the ACK',
    sentence: 'A broken connection fails the request at once with what broke it.',
    picture: `
      target     --#
      initiator  Q-|
      answers    --#
    `,
    legend: { ...packets, '#': mark.failure('CONNECTION_LOST') },
  }),

  page({
    ...asking(),
    title: 'The target ends the connection before the ACK',
    sentence: 'An end of the connection is no answer: the request fails.',
    picture: `
      target     --|
      initiator  Q-|
      answers    --#
    `,
    legend: { ...packets, '#': mark.failure('CONNECTION_LOST') },
  }),

  page({
    ...asking(),
    title: 'The target closes the handle before the ACK',
    sentence:
      'A target may close the handle without an answer; the request fails, the connection lives on.',
    picture: `
      target     --C
      initiator  Q-C
      answers    --#
    `,
    legend: { ...packets, '#': mark.failure('CONNECTION_LOST') },
  }),
];
