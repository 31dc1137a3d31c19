import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { AmandaError } from '../../src/wire/errors.js';
import {
  bytesBefore,
  decodeText,
  encodeText,
  messageOf,
  pairs,
  printable,
  printableJson,
  wordsOf,
} from '../../src/wire/text.js';

const text = fc.string({ unit: 'binary', maxLength: 100 });

describe('encodeText', () => {
  it('is UTF-8, however long the text is and whatever is in it', () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ maxLength: 100 })), (one) => {
        expect(Buffer.from(encodeText(one))).toEqual(Buffer.from(one));
      }),
    );
  });

  it('leaves bytes as they are', () => {
    const bytes = Uint8Array.of(1, 2, 255);
    expect(encodeText(bytes)).toBe(bytes);
  });
});

describe('decodeText', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.uint8Array({ maxLength: 100, max: 127 }),
    fc.uint8Array({ maxLength: 8, min: 0xc0 }),
    text.map(encodeText),
  );

  it('is what UTF-8 says, if it says anything', () => {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
    const valid = (some: Uint8Array): string | undefined => {
      try {
        return decoder.decode(some);
      } catch {
        return undefined;
      }
    };
    fc.assert(
      fc.property(bytes, (some) => {
        expect(decodeText(some)).toBe(valid(some) ?? decodeText(some));
        expect(/[\u{dc80}-\u{dcff}]/u.test(decodeText(some))).toBe(valid(some) === undefined);
      }),
    );
  });

  it('loses no byte: the text gives the same bytes, however long', () => {
    fc.assert(
      fc.property(bytes, (some) => {
        expect(Buffer.from(encodeText(decodeText(some)))).toEqual(Buffer.from(some));
      }),
    );
    const long = new Uint8Array(300_000).map((_, at) => (at * 7) & 0xff);
    expect(Buffer.compare(encodeText(decodeText(long)), long)).toBe(0);
  });

  it('shows a stray byte as printable does', () => {
    expect(decodeText(Uint8Array.of(0x61, 0xe9, 0x62))).toBe('a\udce9b');
    expect(printable('a\udce9b')).toBe('a\\xe9b');
    expect(printable('a\ud800b')).toBe('a\\ud800b');
  });

  it('is the text that bytes were made of, a byte order mark included', () => {
    expect(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa');
    fc.assert(
      fc.property(text, (one) => {
        expect(decodeText(encodeText(one))).toBe(one);
      }),
    );
  });
});

describe('bytesBefore NUL', () => {
  test.each([
    ['', ''],
    ['ab', 'ab'],
    ['\0', ''],
    ['ab\0c\0d', 'ab'],
  ])('of %j is %j', (whole, front) => {
    expect(decodeText(bytesBefore(encodeText(whole), 0))).toBe(front);
  });
});

describe('wordsOf', () => {
  test.each([
    ['', []],
    [' \t ', []],
    ['a', ['a']],
    ['\ta  b\t\tc,d #e\r', ['a', 'b', 'c,d', '#e\r']],
  ])('of %j are %j', (line, words) => {
    expect(wordsOf(line)).toEqual(words);
  });
});

describe('messageOf', () => {
  it('is the message of an error, and the text of anything else', () => {
    expect(messageOf(new TypeError('no'))).toBe('no');
    expect(messageOf('no')).toBe('no');
    expect(messageOf(undefined)).toBe('undefined');
  });
});

describe('pairs', () => {
  test.each([
    [[], []],
    [['a'], []],
    [['a', 'b', 'c'], [['a', 'b']]],
    [
      ['a', 'b', 'c', 'd'],
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
  ])('of %j are %j', (words, two) => {
    expect(pairs(words)).toEqual(two);
  });
});

test('JSON shows no character that a terminal obeys, and means the same', () => {
  const hostile = { text: '\u009b2J\u007f\u202e\u200e\u{e0001}\ud800 ä€\u{1f600}' };
  const json = printableJson(hostile);
  expect(json).toBe('{"text":"\\u009b2J\\u007f\\u202e\\u200e\\udb40\\udc01\\ud800 ä€\u{1f600}"}');
  expect(JSON.parse(json)).toEqual(hostile);
});

test('the message of an AmandaError is printable', () => {
  expect(new AmandaError('BAD_REPLY', 'It said "\u009b2J\n".').message).toBe(
    'It said "\\x9b2J\\n".',
  );
});

describe('printable', () => {
  test.each([
    ['plain, ä and €', 'plain, ä and €'],
    ['a\nb\rc\td', 'a\\nb\\rc\\td'],
    ['\0\u001f\u007f\u0080\u009f', '\\x00\\x1f\\x7f\\x80\\x9f'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['\u202a\u202e\u2066\u2069', '\\u202a\\u202e\\u2066\\u2069'],
    ['\u200b\u200e\u200f\u061c\u206a\ufeff', '\\u200b\\u200e\\u200f\\u061c\\u206a\\ufeff'],
    ['\ud83d|\ude00|\u{1f600}|\u{e0001}', '\\ud83d|\\ude00|\u{1f600}|\\u{e0001}'],
    ['~\u00a0\u2027\u2030', '~\u00a0\u2027\u2030'],
  ])('shows %j', (one, shown) => {
    expect(printable(one)).toBe(shown);
  });

  it('cuts a text after 200 characters, or after the given number', () => {
    expect(printable('x'.repeat(200))).toBe('x'.repeat(200));
    expect(printable('x'.repeat(201))).toBe(`${'x'.repeat(200)}…`);
    expect(printable('x'.repeat(200) + '\u{1f600}', 201)).toBe(`${'x'.repeat(200)}…`);
  });

  it('counts what it shows, so that escapes do not make a line longer', () => {
    expect(printable('\n\n\n', 4)).toBe('\\n\\n…');
    expect(printable('\u202e'.repeat(1_000), 1_000)).toHaveLength(1_001);
  });
});
