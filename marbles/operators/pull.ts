import { EMPTY, concatMap, throwError, of, type Observable } from 'rxjs';
import type { Frame } from '../../src/wire/frame.js';
import { connectionLane, mark, page, type PageScope, userLane } from '../../src/testing/index.js';
import { playing } from '../support/reading.js';

interface Given {
  readonly wire: Observable<Frame>;
  readonly loop: Observable<'next' | 'leave'>;
}

/**
 * What `for await` over a Stream and its Readable do: a chunk is paid back when the next one is
 * asked for. Their promises run in no virtual time, so the page asks.
 */
const looping = {
  about: 'Stream.pull',
  given: { wire: connectionLane<Frame>({ direction: 'in' }), loop: userLane<'next' | 'leave'>() },
  expected: { chunks: userLane<Uint8Array>() },
  wire: ({ wire, loop }: Given, scope: PageScope) => {
    const pull = playing(wire, scope, { receiveBudget: 2_500 })
      .stream(7)
      .pull(() => undefined);
    let last: Uint8Array | undefined;
    const step = (asked: 'next' | 'leave'): Observable<Uint8Array> => {
      if (last !== undefined) pull.release(last);
      last = undefined;
      if (asked === 'leave') pull.cancel();
      else last = pull.take();
      if (last !== undefined) return of(last);
      return pull.end?.error === undefined ? EMPTY : throwError(() => pull.end?.error);
    };
    return { chunks: loop.pipe(concatMap(step)) };
  },
};

const legend = {
  a: mark.bulkFrame(7, 488),
  A: mark.bulk(488),
  n: mark.value<'next'>('next', 'the next one'),
  l: mark.value<'leave'>('leave', 'leave the loop'),
  p: mark.frame('8:p'),
};

/** One chunk at a time: looping over a Stream, and reading it through Node's streams. */
export const pages = [
  page({
    ...looping,
    title: 'A loop over a Stream',
    sentence:
      'Each chunk waits until it is pulled, and its credit returns with the next pull; at half of the budget reading goes on.',
    picture: `
      wire         -aaa-----a
      wire paused  ---^----!
      loop         ----n-n-n-n
      chunks       ----A-A-A-A
    `,
    legend,
  }),

  page({
    ...looping,
    title: 'Leaving a loop early',
    sentence: 'The remaining chunks are dropped and cost nothing.',
    picture: `
      wire         -aaa---a
      wire paused  ---^-!
      loop         ----nl-n
      chunks       ----A
    `,
    legend,
  }),

  page({
    ...looping,
    title: 'A loop over a Stream that breaks',
    sentence: 'Chunks that had arrived come out first; then the loop throws.',
    picture: `
      wire    -a-#
      loop    ----n-n
      chunks  ----A-#
    `,
    legend: { ...legend, '#': mark.failure('CONNECTION_LOST') },
  }),
];
