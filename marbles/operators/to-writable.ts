import type { Observable } from 'rxjs';
import { toWritable } from '../../src/operators/to-writable.js';
import { mark, page, streamLane, userLane } from '../../src/testing/index.js';
import { SlowWritable } from '../support/slow-writable.js';

const writing = {
  about: 'toWritable',
  given: { bytes: streamLane(undefined, 'in') },
  expected: { written: userLane<number>() },
  wire: ({ bytes }: { readonly bytes: Observable<Uint8Array> }) => ({
    written: bytes.pipe(toWritable(new SlowWritable())),
  }),
};

/** Bytes go into a Node Writable that takes three milliseconds for each chunk. */
export const pages = [
  page({
    ...writing,
    title: 'Writing at the pace of the Writable',
    sentence:
      'A chunk is written after the one before it; the count says how many bytes are written.',
    picture: `
      bytes    -ab------|
      bytes ^  ^--------!
      written  ----3--5-|
    `,
    legend: {
      a: mark.chunk('abc'),
      b: mark.chunk('de'),
      3: mark.value(3, '3 bytes'),
      5: mark.value(5, '5 bytes'),
    },
  }),

  page({
    ...writing,
    title: 'A Writable that breaks',
    sentence: 'The error of the Writable comes out, and the source is unsubscribed.',
    picture: `
      bytes    -ax-----a-|
      bytes ^  ^------!
      written  ----3--#
    `,
    legend: {
      a: mark.chunk('abc'),
      x: mark.chunk('x'),
      3: mark.value(3, '3 bytes'),
      '#': mark.failure('FILE_FAILED'),
    },
  }),

  page({
    ...writing,
    title: 'Bytes that break off',
    sentence:
      'The error of the source follows what was written; the Writable is destroyed, not ended.',
    picture: `
      bytes    -a---#
      written  ----3#
    `,
    legend: {
      a: mark.chunk('abc'),
      3: mark.value(3, '3 bytes'),
      '#': mark.failure('CONNECTION_LOST'),
    },
  }),
];
