import type { Observable } from 'rxjs';
import { encodeFrames } from '../../src/operators/encode-frames.js';
import { connectionLane, mark, page } from '../../src/testing/index.js';
import type { Frame } from '../../src/wire/frame.js';

const encoding = {
  about: 'encodeFrames',
  given: { frames: connectionLane<Frame>({ direction: 'out' }) },
  expected: { bytes: connectionLane<Uint8Array>({ direction: 'out' }) },
  wire: ({ frames }: { readonly frames: Observable<Frame> }) => ({
    bytes: frames.pipe(encodeFrames()),
  }),
};

/** Frames become bytes. */
export const pages = [
  page({
    ...encoding,
    title: 'One chunk a frame',
    sentence:
      'Each frame becomes its header and its payload in one piece, a close its header alone.',
    picture: `
      frames    -f---c-|
      frames ^  ^------!
      bytes     -a---b-|
    `,
    legend: {
      f: mark.frame('499999:abc'),
      c: mark.frame('1:'),
      a: mark.bytes('00000003 0007a11f 616263'),
      b: mark.bytes('00000000 00000001'),
    },
  }),

  page({
    ...encoding,
    title: 'A handle out of range',
    sentence: 'A handle over 32 bits is an error, and the source is unsubscribed.',
    picture: `
      frames    -f-x-f-|
      frames ^  ^--!
      bytes     -a-#
    `,
    legend: {
      f: mark.frame('1:a'),
      x: mark.frame('4294967296:a'),
      a: mark.bytes('00000001 00000001 61'),
      '#': mark.failure('BAD_ARGUMENT'),
    },
  }),
];
