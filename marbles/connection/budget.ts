import { map, timer, type Observable } from 'rxjs';
import { connectionLane, mark, page, type PageScope, userLane } from '../../src/testing/index.js';
import type { Frame } from '../../src/wire/frame.js';
import { playing, reading, stream } from '../support/reading.js';

/**
 * A kept chunk costs its bytes and 512 more. Each frame here costs 1,000: three are over the
 * budget, and one is under its half.
 */
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
      'The connection stops reading when the kept bytes are over the budget; a reader that takes them resumes it.',
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
    title: 'A reader that keeps up',
    sentence:
      'A chunk that goes to a waiting reader at once costs nothing: the connection is never paused.',
    picture: `
      wire   -aaaa-p
      seven  -AAAA
      eight  ------P
    `,
    legend,
  }),

  page({
    ...working(3),
    title: 'A reader that works on each chunk',
    sentence:
      'The credit of a chunk returns when the work on it is complete; at half of the budget reading goes on.',
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
    title: 'An unwanted stream',
    about: 'discard',
    sentence: 'discard() drops kept bytes and later ones, so they cost nothing.',
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
    title: 'A reader that leaves',
    sentence:
      'Unsubscribing returns the credit of the kept chunks and of the one in work; later bytes are dropped.',
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
      'After a pause of 30 s without any reading, while another reader waits, flow says which stream blocks which reader.',
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
    title: 'A pause that blocks no reader',
    sentence: 'A pause is no stall unless another reader waits.',
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
    sentence: 'A reader that takes a chunk within 30 s is slow, but nothing hangs.',
    picture: `
      wire         -aaap
      wire paused  ---^ 39s 997ms !
      seven        -  20s A 19s 999ms A 19s 999ms A
      eight        - 40s P
    `,
    legend,
  }),
];
