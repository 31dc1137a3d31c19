import { map, timer, type Observable } from 'rxjs';
import { connectionLane, mark, page, type PageScope, userLane } from '../../src/testing/index.js';
import type { Frame } from '../../src/wire/frame.js';
import { playing, reading, stream } from '../support/reading.js';

/** A kept chunk costs its bytes and 512 more: each frame here costs 1,000, so that the third one is over the budget and one is under the half. */
const receiveBudget = 2_500;
const block = mark.bulkFrame(7, 488);
const legend = {
  a: block,
  p: mark.frame('8:p'),
  A: mark.bulk(488),
  P: mark.chunk('p'),
  w: mark.value(488, 'the work on it is done'),
};

/** Stream 7 is worked on for so many milliseconds a chunk; stream 8 is read as it comes. */
function working(milliseconds: number) {
  return {
    about: 'paced',
    given: { wire: connectionLane<Frame>({ direction: 'in' }) },
    expected: { seven: stream(7), eight: stream(8) },
    wire: ({ wire }: { readonly wire: Observable<Frame> }, scope: PageScope) => {
      const connection = playing(wire, scope, { receiveBudget });
      const work = (bytes: Uint8Array) => timer(milliseconds).pipe(map(() => bytes));
      return { seven: connection.stream(7).paced(work), eight: connection.stream(8) };
    },
  };
}

/** What is kept for readers is bounded, by not reading from the channel. */
export const pages = [
  page({
    ...reading({ receiveBudget }),
    title: 'Pause and resume',
    sentence:
      'When what is kept is over the budget the connection stops reading; a reader who takes it sets it going again.',
    picture: `
      wire         -aaaa
      wire paused  ---^----!
      seven        --------(AAAA)
      seven ^      --------^
      eight        -
    `,
    legend,
  }),

  page({
    ...reading({ receiveBudget }),
    title: 'A reader who keeps up',
    sentence:
      'What goes to a waiting reader at once costs nothing: the connection is never paused.',
    picture: `
      wire   -aaaa-p
      seven  -AAAA
      eight  ------P
    `,
    legend,
  }),

  page({
    ...working(3),
    title: 'A reader who works on each chunk',
    sentence:
      'A chunk is paid back when the work on it is complete; at half of the budget reading goes on.',
    picture: `
      wire         -aaaap
      wire paused  ---^---!
      seven        ----A--A--A--A
      eight        -------P
    `,
    legend,
  }),

  page({
    ...reading({ receiveBudget }),
    title: 'One unread stream holds up the others',
    sentence: 'TCPM has no window for each stream: a pause stops them all.',
    picture: `
      wire         -aaap
      wire paused  ---^----!
      seven        --------(AAA)
      seven ^      --------^
      eight        --------P
    `,
    legend,
  }),

  page({
    title: 'A stream that nobody wants',
    about: 'discard',
    sentence: 'discard() drops what is kept and what still comes: it costs nothing any more.',
    picture: `
      wire         -aaap-aaaap
      wire paused  ---^---!
      eight        -------P--P
      user         -------d
    `,
    legend: { ...legend, d: mark.value('discard') },
    given: { wire: connectionLane<Frame>({ direction: 'in' }), user: userLane<string>() },
    expected: { eight: stream(8) },
    wire: (
      { wire, user }: { readonly wire: Observable<Frame>; readonly user: Observable<string> },
      scope: PageScope,
    ) => {
      const connection = playing(wire, scope, { receiveBudget });
      const seven = connection.stream(7);
      scope.ends.add(user.subscribe(() => seven.discard()));
      return { eight: connection.stream(8) };
    },
  }),

  page({
    ...working(60_000),
    title: 'A reader who leaves',
    sentence:
      'Unsubscribing gives back the credit of what was kept and of what was in work; what still comes is dropped.',
    picture: `
      wire         -aaap-aaaap
      wire paused  ---^---!
      seven        -
      seven ^      ^------!
      eight        -------P--P
    `,
    legend,
  }),

  page({
    ...reading({ receiveBudget }),
    title: 'A stall is named',
    sentence:
      'When the connection has been paused for 30 s, nobody consumed anything and another reader waits, flow says who blocks whom.',
    picture: `
      wire          -aaap
      wire paused   ---^ 39s 999ms          !
      wire stalled  ---  30s ^ 9s 999ms     !
      seven         ---  40s                (AAA)
      seven ^       ---  40s                ^
      eight         ---  40s                P
    `,
    legend,
  }),

  page({
    ...reading({ receiveBudget, onStall: 'error' }),
    title: 'A stall as an error',
    sentence: 'With onStall "error" a stall ends the connection; what was kept can still be read.',
    picture: `
      wire          -aaap
      wire paused   ---^
      wire stalled  ---  30s ^
      seven         ---  40s (AAA#)
      seven ^       ---  40s ^
      eight         ---  30s #
    `,
    legend: { ...legend, '#': mark.failure('STALLED') },
  }),

  page({
    ...reading({ receiveBudget, stallAfter: 1_000 }),
    title: 'A pause that holds up nobody',
    sentence: 'Without a reader who waits elsewhere, a pause is only slow: it is no stall.',
    picture: `
      wire         -aaa
      wire paused  ---^ 10s !
      seven        ---- 10s (AAA)
      seven ^      ---- 10s ^
      eight        -
      eight ^      -
    `,
    legend,
  }),

  page({
    ...working(20_000),
    title: 'A slow reader is no stall',
    sentence: 'As long as somebody consumes within 30 s, waiting takes time but nothing hangs.',
    picture: `
      wire         -aaap
      wire paused  ---^ 39s 997ms !
      seven        -  20s A 19s 999ms A 19s 999ms A
      eight        - 40s P
    `,
    legend,
  }),
];
