import { map, timer, type Observable } from 'rxjs';
import { paced } from '../../src/operators/paced.js';
import {
  connectionLane,
  mark,
  page,
  type PageScope,
  streamLane,
  userLane,
} from '../../src/testing/index.js';
import { decodeText } from '../../src/wire/text.js';
import type { Frame } from '../../src/wire/frame.js';
import { playing } from '../support/reading.js';
import { AmandaError } from '../../src/wire/errors.js';

const legend = {
  a: mark.chunk('a'),
  b: mark.chunk('b'),
  c: mark.chunk('c'),
  A: mark.value('a'),
  B: mark.value('b'),
  C: mark.value('c'),
};
const frames = {
  ...legend,
  a: mark.frame('7:a'),
  b: mark.frame('7:b'),
  c: mark.frame('7:c'),
  e: mark.frame('7:'),
};

function work(bytes: Uint8Array): Observable<string> {
  const text = decodeText(bytes);
  return timer(3).pipe(map(() => (text === 'x' ? fail() : text)));
}

function fail(): never {
  throw new AmandaError('FILE_FAILED', 'the disk is full');
}

/** Work of three milliseconds on each chunk of something that cannot be slowed. */
const plain = {
  about: 'paced',
  given: { bytes: streamLane(undefined, 'in') },
  expected: { done: userLane<string>() },
  wire: ({ bytes }: { readonly bytes: Observable<Uint8Array> }) => ({
    done: bytes.pipe(paced(work)),
  }),
};

/** Work of three milliseconds on each chunk of a Stream. */
const pulled = {
  about: 'paced',
  given: { wire: connectionLane<Frame>({ direction: 'in' }) },
  expected: { done: userLane<string>() },
  wire: ({ wire }: { readonly wire: Observable<Frame> }, scope: PageScope) => ({
    done: playing(wire, scope).stream(7).pipe(paced(work)),
  }),
};

/** One chunk after another. */
export const pages = [
  page({
    ...plain,
    title: 'Work on a plain Observable',
    sentence: 'The next chunk waits until the work on the last one is complete.',
    picture: `
      bytes    -ab---c-|
      bytes ^  ^-------!
      done     ----A--B--(C|)
    `,
    legend,
  }),

  page({
    ...plain,
    title: 'Work on a plain Observable fails',
    sentence: 'The error comes out, and the source is unsubscribed.',
    picture: `
      bytes    -ax---c-|
      bytes ^  ^------!
      done     ----A--#
    `,
    legend: { ...legend, x: mark.chunk('x'), '#': mark.failure('FILE_FAILED') },
  }),

  page({
    ...pulled,
    title: 'Work on a Stream',
    sentence: 'Waiting chunks stay in the Stream and count against the receive budget.',
    picture: `
      wire  -ab---c-e
      done  ----A--B--(C|)
    `,
    legend: frames,
  }),

  page({
    ...pulled,
    title: 'Work on a Stream that breaks',
    sentence: 'Chunks that had arrived are worked on first; then comes the error.',
    picture: `
      wire  -ab-#
      done  ----A--(B#)
    `,
    legend: { ...frames, '#': mark.failure('CONNECTION_LOST') },
  }),

  page({
    ...pulled,
    title: 'Work on a Stream fails',
    sentence: 'The error comes out; the Stream drops the rest.',
    picture: `
      wire  -ax-c-e
      done  ----A--#
    `,
    legend: { ...frames, x: mark.frame('7:x'), '#': mark.failure('FILE_FAILED') },
  }),

  page({
    title: 'Leaving work on a Stream',
    about: 'paced',
    sentence: 'Unsubscribing stops the running work, and no other work begins.',
    picture: `
      wire    -ab-c-e
      work    ---(A|)
      work ^  -^--!
      work ^  ----^-!
      done    ----A-
      done ^  ^-----!
    `,
    legend: frames,
    given: { wire: connectionLane<Frame>({ direction: 'in' }), work: userLane<string>() },
    expected: { done: userLane<string>() },
    wire: (
      { wire, work: job }: { readonly wire: Observable<Frame>; readonly work: Observable<string> },
      scope: PageScope,
    ) => ({
      done: playing(wire, scope)
        .stream(7)
        .paced(() => job),
    }),
  }),
];
