import { map, timer } from 'rxjs';
import { allowed, refused } from '../../src/access/verdict.js';
import { mark, page } from '../../src/testing/index.js';
import { packets, serving } from '../support/serving.js';

/** A target whose access check takes five milliseconds, as a DNS lookup does. */
const allowing = serving(
  { authorize: () => timer(5).pipe(map(() => allowed)) },
  { namesUser: true },
);
const refusing = serving(
  { authorize: () => timer(5).pipe(map(() => refused('not you'))) },
  { namesUser: true },
);
const legend = {
  ...packets,
  Q: mark.packet('REQ', 'SECURITY USER eve\nSERVICE noop\nOPTIONS ;\n'),
};

/** What happens while the target checks the access. */
export const pages = [
  page({
    ...allowing,
    title: 'Access is checked first',
    sentence: 'The ACK says that the request will be served, so it waits for the verdict.',
    picture: `
      initiator  -Q---------K
      service    ---------r
      service ^  ------^----!
      target     ------K--R-C
      events     ------a--y-e
    `,
    legend,
  }),

  page({
    ...allowing,
    title: 'REQ again before the verdict',
    sentence: 'The ACK that is about to come answers both.',
    picture: `
      initiator  -Q--Q------K
      service    ---------r
      service ^  ------^----!
      target     ------K--R-C
      events     ------a--y-e
    `,
    legend,
  }),

  page({
    ...allowing,
    title: 'Another packet before the verdict',
    sentence: 'A packet that is not due is answered by a NAK; the exchange goes on.',
    picture: `
      initiator  -Q--K------K
      service    ---------r
      target     ----N-K--R-C
      events     ------a--y-e
    `,
    legend: { ...legend, N: mark.packet('NAK', 'ERROR unexpected packet type ACK\n') },
  }),

  page({
    ...refusing,
    title: 'A verdict that refuses',
    sentence: 'The refusal is a NAK with the reason; no service is started.',
    picture: `
      initiator  -Q
      service    -
      service ^  -
      target     ------(NC)
      events     ------(fe)
    `,
    legend: {
      ...legend,
      N: mark.packet('NAK', 'ERROR not you\n'),
      f: mark.value('refused: not you', 'refused, with the reason'),
      e: mark.value('ended: refused', 'the request is refused'),
    },
  }),

  page({
    ...allowing,
    title: 'The connection breaks before the verdict',
    sentence: 'No service is started for an initiator that has gone.',
    picture: `
      initiator  -Q-#------
      service    -
      service ^  -
      target     ---|
      events     ---(ed|)
    `,
    legend: {
      ...legend,
      e: mark.value('ended: lost', 'the request is lost'),
      d: mark.value('disconnected'),
      '#': mark.failure('CONNECTION_LOST'),
    },
  }),
];
