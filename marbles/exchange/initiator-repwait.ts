import { defer, map, type Observable } from 'rxjs';
import { exchange } from '../../src/exchange/exchange.js';
import { defaultTiming } from '../../src/exchange/timing.js';
import {
  handleLane,
  mark,
  page,
  pageConnection,
  type PageScope,
  textBytes,
  userLane,
} from '../../src/testing/index.js';
import { REQUEST, asking, packets } from '../support/asking.js';

/** The second column of the initiator's table: what happens while it waits for the REP. */
export const pages = [
  page({
    ...asking(),
    title: 'REP after a long time',
    sentence: 'A service may take its time: the wait for the REP begins anew with the ACK.',
    picture: `
      target                     9s    A 29s R
      initiator                  Q 9s    29s (AC)
      initiator waiting for ACK  ^ 8s 999ms !
      answers                    9s    - 29s (r|)
    `,
    legend: packets,
  }),

  page({
    ...asking(),
    title: 'Another ACK',
    sentence:
      'An ACK while the initiator waits for the REP is ignored; it does not make the wait longer.',
    picture: `
      target                     -A 20s A
      initiator                  Q 30s            Q
      initiator waiting for REP  -^ 29s 999ms     !
      answers                    -
    `,
    legend: packets,
  }),

  page({
    ...asking(),
    title: 'PREP, PREP, REP',
    sentence:
      'Each partial reply goes to the user as it comes and is not acknowledged; the REP ends the request.',
    picture: `
      target                     -A-P 2s P 2s R
      initiator                  Q--- 2s - 2s (AC)
      answers                    ---p 2s p 2s (r|)
    `,
    legend: packets,
  }),

  page({
    ...asking(),
    title: 'PREP does not buy time',
    sentence:
      'After a PREP the wait goes on from when the REQ was sent, with one second to spare: 31 s in all here.',
    picture: `
      target                     -A 11s 998ms P
      initiator                  Q  30s 999ms            Q
      initiator waiting for REP  -^ 30s 998ms            !
      answers                    -- 11s 998ms p
    `,
    legend: packets,
  }),

  page({
    ...asking(),
    title: 'PREP at the last moment',
    sentence: 'The next answer has one second after a PREP, however late that comes.',
    picture: `
      target                     9s        A 28s 999ms P
      initiator                  Q 8s 999ms - 28s 999ms - 999ms Q
      initiator waiting for REP  9s        ^ 28s 999ms - 999ms  !
      answers                    9s        - 28s 999ms p
    `,
    legend: packets,
  }),

  page({
    ...asking(),
    title: 'NAK after the ACK',
    sentence:
      'The target refuses a request whose service fails without a reply; the request ends with that reason.',
    picture: `
      target     -A--N
      initiator  Q---C
      answers    ----#
    `,
    legend: { ...packets, '#': mark.failure('REFUSED') },
  }),

  page({
    ...asking(),
    title: 'Other packets instead of the REP',
    sentence: 'A packet that only a target should get, or one of an unknown type, is ignored.',
    picture: `
      target     -A-Q-X-R
      initiator  Q------(AC)
      answers    -------(r|)
    `,
    legend: { ...packets, X: mark.bogus(7) },
  }),

  page({
    ...asking(),
    title: 'No REP',
    sentence:
      'Without a REP in time the request starts over with a new REQ, twice at most; then it fails.',
    picture: `
      target                     -A 30s     A 30s     A
      initiator                  Q 30s     Q 30s     Q 30s     C
      initiator waiting for ACK  ^!
      initiator waiting for REP  -^ 29s 999ms !
      answers                    90s 3ms                       #
    `,
    legend: { ...packets, '#': mark.failure('REP_TIMEOUT') },
  }),

  page({
    ...asking(),
    title: 'A REP after starting over',
    sentence:
      'A REQ that was sent again because the reply was lost is answered like the first one.',
    picture: `
      target     -A 30s  A-R
      initiator  Q 30s  Q--(AC)
      answers    30s   ----(r|)
    `,
    legend: packets,
  }),

  page({
    ...asking(),
    title: 'No REP, and then no ACK',
    sentence:
      'Starting over means fresh tries: the REQ is sent three times again before the target counts as gone.',
    picture: `
      target     -A
      initiator  Q 30s   Q 9s 999ms Q 9s 999ms Q 9s 999ms C
      answers    60s -                                    #
    `,
    legend: { ...packets, '#': mark.failure('ACK_TIMEOUT') },
  }),

  page({
    ...asking({ replyTimeout: 61 * 60_000 }),
    title: 'No REP within an hour',
    sentence: 'A request that began more than an hour ago is not started over.',
    picture: `
      target     -A
      initiator  Q 61m  C
      answers    61m   -#
    `,
    legend: { ...packets, '#': mark.failure('REP_TIMEOUT') },
  }),

  page({
    ...asking({ replyTimeout: 25 * 60_000 }),
    title: 'Starting over ends with the hour',
    sentence:
      'The hour counts from the first REQ: with 25 minutes for a reply the third wait is the last.',
    picture: `
      target     -A 25m   A 25m   A
      initiator  Q 25m   Q 25m   Q 25m   C
      answers    75m 3ms                 #
    `,
    legend: { ...packets, '#': mark.failure('REP_TIMEOUT') },
  }),

  page({
    ...asking({ replyTimeout: 40 * 60_000 }),
    title: 'One start over within the hour',
    sentence:
      'A second start over, 80 minutes after the first REQ, is not made although the count would allow it.',
    picture: `
      target     -A 40m   A
      initiator  Q 40m   Q 40m   C
      answers    80m 2ms         #
    `,
    legend: { ...packets, '#': mark.failure('REP_TIMEOUT') },
  }),

  page({
    ...asking(),
    title: 'The connection breaks before the REP',
    sentence: 'A broken connection fails the request at once with what broke it.',
    picture: `
      target     -A-#
      initiator  Q--|
      answers    ---#
    `,
    legend: { ...packets, '#': mark.failure('CONNECTION_LOST') },
  }),

  page({
    ...asking(),
    title: 'The target closes the handle before the REP',
    sentence: 'A handle that the target closes without a reply fails the request.',
    picture: `
      target     -A-C
      initiator  Q--C
      answers    ---#
    `,
    legend: { ...packets, '#': mark.failure('CONNECTION_LOST') },
  }),

  page({
    ...asking(),
    title: 'The target closes the handle after its REP',
    sentence: 'The close comes after the reply, and the reply counts.',
    picture: `
      target     -A-(RC)
      initiator  Q--(AC)
      answers    ---(r|)
    `,
    legend: packets,
  }),

  page({
    ...asking({}, { receiveBudget: 100 }),
    title: 'A REP twice',
    sentence:
      'Frames on the handle after the exchange are dropped, so they never use up even a tiny budget.',
    picture: `
      target     -A-R------R
      initiator  Q--(AC)
      answers    ---(r|)
    `,
    legend: packets,
  }),

  page({
    ...asking(),
    title: 'The ACK leaves before the reply arrives',
    sentence:
      'When the user gets the reply, its ACK and the close have been sent, so the target knows that it came.',
    picture: `
      target     -A-R
      initiator  Q--(AC)
      answers    ---(3|)
    `,
    legend: { ...packets, 3: mark.value(3, 'three frames had left') },
    wire: ({ target }: { readonly target: Observable<Uint8Array> }, scope: PageScope) => {
      const { connection, peer } = pageConnection(scope, { side: 'initiator', user: undefined });
      let left = 0;
      scope.ends.add(peer.frames.subscribe(() => (left += 1)));
      scope.ends.add(peer.send(1, target));
      return {
        initiator: peer.received(1),
        answers: defer(() => exchange(connection, textBytes(REQUEST), defaultTiming)).pipe(
          map(() => left),
        ),
      };
    },
    expected: { initiator: handleLane(1, 'out'), answers: userLane<number>() },
  }),

  page({
    ...asking(),
    title: 'Unsubscribing',
    sentence:
      'An unsubscribed request closes its handle and leaves no timer; nothing is sent later, and later packets are ignored.',
    picture: `
      target     -A 100ms R
      initiator  Q--C 1m -
      answers    -
      answers ^  ^--!
    `,
    legend: packets,
  }),
];
