import type { Observable } from 'rxjs';
import { lines } from '../../src/operators/lines.js';
import { mark, page, streamLane, userLane } from '../../src/testing/index.js';

function cutting(maxLength?: number) {
  return {
    about: 'lines',
    given: { bytes: streamLane(undefined, 'in') },
    expected: { lines: userLane<string>() },
    wire: (given: { readonly bytes: Observable<Uint8Array> }) => ({
      lines: given.bytes.pipe(lines(maxLength === undefined ? {} : { maxLength })),
    }),
  };
}

/** Bytes become lines of text. */
export const pages = [
  page({
    ...cutting(),
    title: 'A line is there with its newline',
    sentence: 'A line comes when its newline has arrived, however the bytes are cut.',
    picture: `
      bytes  -a---b---c---|
      lines  -1---2---(34)|
    `,
    legend: {
      a: mark.chunk('one\ntw'),
      b: mark.chunk('o\n'),
      c: mark.chunk('three\n\n'),
      1: mark.value('one'),
      2: mark.value('two'),
      3: mark.value('three'),
      4: mark.value('', 'an empty line'),
    },
  }),

  page({
    ...cutting(),
    title: 'A last line without a newline',
    sentence: 'It counts when the source completes.',
    picture: `
      bytes  -a--b--|
      lines  -1-----(2|)
    `,
    legend: {
      a: mark.chunk('one\ntw'),
      b: mark.chunk('o'),
      1: mark.value('one'),
      2: mark.value('two'),
    },
  }),

  page({
    ...cutting(),
    title: 'A character cut in two',
    sentence: 'UTF-8 is read correctly, however the bytes are cut.',
    picture: `
      bytes  -a--b--|
      lines  ----1--|
    `,
    legend: {
      a: mark.bytes('c3', 'the first half of ü'),
      b: mark.bytes('bc 0a', 'its second half and a newline'),
      1: mark.value('ü'),
    },
  }),

  page({
    ...cutting(),
    title: 'Byte order marks',
    sentence: 'Each is a character of its line, the first one too.',
    picture: `
      bytes  -a--b--|
      lines  ----1--|
    `,
    legend: {
      a: mark.bytes('ef bb bf', 'U+FEFF'),
      b: mark.bytes('ef bb bf 61 0a', 'U+FEFF, a and a newline'),
      1: mark.value('\ufeff\ufeffa', 'U+FEFF twice, and a'),
    },
  }),

  page({
    ...cutting(4),
    title: 'A line without end',
    sentence: 'A line over the limit is an error: memory is bounded.',
    picture: `
      bytes    -a--b--c-|
      bytes ^  ^---!
      lines    -1--#
    `,
    legend: {
      a: mark.chunk('one\ntwo'),
      b: mark.chunk('three'),
      c: mark.chunk('\n'),
      1: mark.value('one'),
      '#': mark.failure('TRUNCATED'),
    },
  }),

  page({
    ...cutting(),
    title: 'Bytes that break off',
    sentence: 'The error is passed on, and half a line is never emitted.',
    picture: `
      bytes  -a--#
      lines  -1--#
    `,
    legend: {
      a: mark.chunk('one\ntw'),
      1: mark.value('one'),
      '#': mark.failure('CONNECTION_LOST'),
    },
  }),
];
