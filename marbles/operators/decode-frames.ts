import { decodeFrames } from '../../src/operators/decode-frames.js';
import { connectionLane, mark, page } from '../../src/testing/index.js';
import type { Frame } from '../../src/wire/frame.js';
import type { Observable } from 'rxjs';

const decoding = {
  about: 'decodeFrames',
  given: { bytes: connectionLane<Uint8Array>({ direction: 'in' }) },
  expected: { frames: connectionLane<Frame>({ direction: 'in' }) },
  wire: (given: { readonly bytes: Observable<Uint8Array> }) => ({
    frames: given.bytes.pipe(decodeFrames()),
  }),
};

/** Bytes become frames. */
export const pages = [
  page({
    ...decoding,
    title: 'A frame cut anywhere',
    sentence: 'A frame is complete when its last byte has arrived, however the bytes are cut.',
    picture: `
      bytes    -a--b-c--d-|
      bytes ^  ^----------!
      frames   ---------f-|
    `,
    legend: {
      a: mark.bytes('000000'),
      b: mark.bytes('03 0000'),
      c: mark.bytes('0001 61'),
      d: mark.bytes('62 63'),
      f: mark.frame('1:abc'),
    },
  }),

  page({
    ...decoding,
    title: 'Several frames in one chunk',
    sentence:
      'All frames of a chunk come at once, in order; the last one may end in the next chunk.',
    picture: `
      bytes   -a-----b-|
      frames  -(fg)--h-|
    `,
    legend: {
      a: mark.bytes(
        '00000001 00000001 61  00000002 00000002 6263  00000001',
        '1: "a", 2: "bc", the front of a third',
      ),
      b: mark.bytes('00000001 64', 'the rest of it'),
      f: mark.frame('1:a'),
      g: mark.frame('2:bc'),
      h: mark.frame('1:d'),
    },
  }),

  page({
    ...decoding,
    title: 'A close',
    sentence: 'A frame without payload is a frame, too: it closes its handle.',
    picture: `
      bytes   -a-|
      frames  -c-|
    `,
    legend: { a: mark.bytes('00000000 00000007'), c: mark.frame('7:') },
  }),

  page({
    ...decoding,
    title: 'The bytes end within a frame',
    sentence: 'An end inside a frame is an error: something is missing.',
    picture: `
      bytes    -ab--|
      bytes ^  ^----!
      frames   -f---#
    `,
    legend: {
      a: mark.bytes('00000001 00000001 61'),
      b: mark.bytes('00000003 00000001 61'),
      f: mark.frame('1:a'),
      '#': mark.failure('TRUNCATED'),
    },
  }),

  page({
    ...decoding,
    title: 'The bytes end within a header',
    sentence: 'An end inside a header is the same error.',
    picture: `
      bytes   -a--|
      frames  ----#
    `,
    legend: { a: mark.bytes('00000003 0000'), '#': mark.failure('TRUNCATED') },
  }),

  page({
    ...decoding,
    title: 'A frame over the limit',
    sentence:
      'Frames before it still count; then it is an error at once, and the source is unsubscribed.',
    picture: `
      bytes    -a--b-c-|
      bytes ^  ^---!
      frames   -f--#
    `,
    legend: {
      a: mark.bytes('00000001 00000001 61'),
      b: mark.bytes('00400001 00000001'),
      c: mark.bytes('00'),
      f: mark.frame('1:a'),
      '#': mark.failure('FRAME_TOO_LARGE'),
    },
  }),

  page({
    ...decoding,
    title: 'A good frame and a bad one in one chunk',
    sentence: 'The good one comes out before the error.',
    picture: `
      bytes   -a-----
      frames  -(f#)
    `,
    legend: {
      a: mark.bytes('00000001 00000001 61  80000000 00000001'),
      f: mark.frame('1:a'),
      '#': mark.failure('FRAME_TOO_LARGE'),
    },
  }),

  page({
    ...decoding,
    title: 'Text instead of frames',
    sentence: 'Eight printable bytes in place of a header are text that leaked into the channel.',
    picture: `
      bytes   -a--
      frames  -#
    `,
    legend: {
      a: mark.bytes('53 53 48 2d 32 2e 30 2d', 'SSH-2.0-'),
      '#': mark.failure('TEXT_IN_CHANNEL'),
    },
  }),

  page({
    ...decoding,
    title: 'A source that breaks',
    sentence: 'Its error is passed on; the unfinished frame does not matter then.',
    picture: `
      bytes   -a-#
      frames  ---#
    `,
    legend: { a: mark.bytes('00000003 0000'), '#': mark.failure('CONNECTION_LOST') },
  }),

  page({
    ...decoding,
    title: 'Leaving',
    sentence: 'Unsubscribing unsubscribes the source.',
    picture: `
      bytes     -a--a--a
      bytes ^   ^----!
      frames    -f--f
      frames ^  ^----!
    `,
    legend: { a: mark.bytes('00000001 00000001 61'), f: mark.frame('1:a') },
  }),
];
