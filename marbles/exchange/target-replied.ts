import { mark, page } from '../../src/testing/index.js';
import { packets, serving } from '../support/serving.js';

const unacknowledged = mark.value('ended: unacknowledged', 'the reply was not acknowledged');

/** What happens while the target waits for the ACK of its reply. */
export const pages = [
  page({
    ...serving(),
    title: 'No ACK for the reply',
    sentence:
      'A REP without an ACK is sent again every 10 s, five times in all; 50 s after the first one the handle is closed.',
    picture: `
      initiator               -Q
      service                 ---r
      service ^               -^-- 49s 999ms                                !
      target                  -K-R 9s 999ms R 9s 999ms R 9s 999ms R 9s 999ms R 9s 999ms C
      target waiting for ACK  ---^ 49s 999ms                                !
      events                  -a-y 49s 999ms                                e
    `,
    legend: { ...packets, e: unacknowledged },
  }),

  page({
    ...serving(),
    title: 'A late ACK for the reply',
    sentence: 'An ACK after the second REP counts like one after the first.',
    picture: `
      initiator  -Q-- 14s 999ms          K
      service    ---r
      target     -K-R 9s 999ms R 4s 999ms C
      events     -a-y 14s 999ms          e
    `,
    legend: packets,
  }),

  page({
    ...serving(),
    title: 'REQ again after the reply',
    sentence:
      'The initiator asks again, so the reply was lost: it is sent again at once, and the wait for its ACK begins anew.',
    picture: `
      initiator               -Q-- 4s 999ms Q
      service                 ---r
      target                  -K-R 4s 999ms R 9s 999ms R
      target waiting for ACK  ---^ 4s 999ms - 9s 999ms !
      events                  -a-y
    `,
    legend: packets,
  }),

  page({
    ...serving({ replyTries: 2 }),
    title: 'REQ again costs no try',
    sentence:
      'A REP that answers a repeated REQ does not count as a try: with two tries, one is left after it.',
    picture: `
      initiator  -Q-- 4s 999ms Q
      service    ---r
      target     -K-R 4s 999ms R 9s 999ms R 9s 999ms C
      events     -a-y 4s 999ms - 9s 999ms - 9s 999ms e
    `,
    legend: { ...packets, e: unacknowledged },
  }),

  page({
    ...serving(),
    title: 'NAK instead of the ACK',
    sentence: 'A packet that is not due is answered by a NAK; the ACK still counts.',
    picture: `
      initiator  -Q---X-K
      service    ---r
      target     -K-R-N-C
      events     -a-y---e
    `,
    legend: {
      ...packets,
      X: mark.packet('NAK', 'ERROR no\n'),
      N: mark.packet('NAK', 'ERROR unexpected packet type NAK\n'),
    },
  }),

  page({
    ...serving(),
    title: 'Other packets instead of the ACK',
    sentence:
      'An unexpected packet is answered by a NAK, and does not extend the wait for the ACK.',
    picture: `
      initiator  -Q-- 5s X 4s 998ms - 1s  K
      service    ---r
      target     -K-R 5s N 4s 998ms R 1s  C
      events     -a-y 5s - 4s 998ms - 1s  e
    `,
    legend: {
      ...packets,
      X: mark.bogus(7),
      N: mark.packet('NAK', 'ERROR unexpected packet type BOGUS\n'),
    },
  }),

  page({
    ...serving(),
    title: 'The initiator closes the handle, then sends the ACK',
    sentence:
      'A close of the handle by the initiator is no answer; an ACK after it still completes the exchange.',
    picture: `
      initiator  -Q---C-K
      service    ---r
      target     -K-R---C
      events     -a-y---e
    `,
    legend: packets,
  }),

  page({
    ...serving(),
    title: 'The initiator closes the handle after its ACK',
    sentence: 'Initiators do this.',
    picture: `
      initiator  -Q---(KC)
      service    ---r
      target     -K-R-C
      events     -a-y-e
    `,
    legend: packets,
  }),

  page({
    ...serving(),
    title: 'The connection breaks before the ACK of the reply',
    sentence: 'Nothing more is sent, and the request ends as lost.',
    picture: `
      initiator  -Q---# 1m
      service    ---r
      service ^  -^---!
      target     -K-R-|
      events     -a-y-(ed|)
    `,
    legend: {
      ...packets,
      e: mark.value('ended: lost', 'the request is lost'),
      d: mark.value('disconnected'),
      '#': mark.failure('CONNECTION_LOST'),
    },
  }),

  page({
    ...serving(),
    title: 'A connection on which nothing runs',
    sentence: 'Thirty seconds after the last request has ended, the connection is closed.',
    picture: `
      initiator  -Q---K
      service    ---r
      target     -K-R-C 29s 999ms |
      events     -a-y-e 29s 999ms (d|)
    `,
    legend: { ...packets, d: mark.value('disconnected') },
  }),

  page({
    ...serving(),
    title: 'A connection on which nothing ever runs',
    sentence: 'The connection of a silent initiator is closed after thirty seconds.',
    picture: `
      initiator  -
      service    -
      target     30s |
      events     30s (d|)
    `,
    legend: { ...packets, d: mark.value('disconnected') },
  }),

  page({
    ...serving(),
    title: 'Another request on the same handle',
    sentence: 'When a request has ended its handle is free for the next one.',
    picture: `
      initiator  -Q---K--Q--K
      service    ---r------r
      target     -K-R-C--K-RC
      events     -a-y-e--a-ye
    `,
    legend: packets,
  }),
];
