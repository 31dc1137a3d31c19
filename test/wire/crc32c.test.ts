import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32c, formatChecksum, parseChecksum } from '../../src/wire/crc32c.js';

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

/** Bit by bit, to compare with. */
function slowly(data: Uint8Array): number {
  let register = ~0;
  for (const byte of data) {
    register ^= byte;
    for (let bit = 0; bit < 8; bit++)
      register = (register >>> 1) ^ (register & 1 ? 0x82f6_3b78 : 0);
  }
  return ~register >>> 0;
}

describe('crc32c', () => {
  // RFC 3720, B.4, and the usual check value.
  test.each([
    ['the digits 1 to 9', bytes('123456789'), 0xe306_9283],
    ['nothing', new Uint8Array(0), 0],
    ['32 bytes of 00', new Uint8Array(32), 0x8a91_36aa],
    ['32 bytes of ff', new Uint8Array(32).fill(0xff), 0x62a8_ab43],
    ['the bytes 0 to 31', Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd_794e],
    ['the bytes 31 to 0', Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113f_db5c],
  ])('of %s is the published one', (_, data, crc) => {
    expect(crc32c(data)).toBe(crc);
  });

  test('is that of the polynomial, for any bytes at any offset', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(20), (data, offset) => {
        expect(crc32c(data.subarray(offset))).toBe(slowly(data.subarray(offset)));
      }),
    );
  });

  test('goes on where another one ended', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 100 }), (a, b) => {
        expect(crc32c(b, crc32c(a))).toBe(crc32c(new Uint8Array([...a, ...b])));
      }),
    );
  });
});

describe('a checksum', () => {
  test('is written with eight digits and the count of bytes', () => {
    expect(formatChecksum(0x0cda_24b5, 10240)).toBe('0cda24b5:10240');
    expect(formatChecksum(0, 0n)).toBe('00000000:0');
    expect(formatChecksum(0xffff_ffff, 2n ** 62n)).toBe('ffffffff:4611686018427387904');
  });

  test('is read from what was written', () => {
    expect(parseChecksum('0cda24b5:10240')).toEqual({ crc: 0x0cda_24b5, bytes: 10240 });
    expect(parseChecksum('ffffffff:9007199254740991')).toEqual({
      crc: 0xffff_ffff,
      bytes: Number.MAX_SAFE_INTEGER,
    });
  });

  test.each([
    '',
    ':',
    '0cda24b5',
    '0cda24b5:',
    ':5',
    'x:5',
    '0cda24b5:-1',
    '00cda24b55:1',
    '0cda24b5:1 ',
    '0cda24b5:9007199254740993',
    '0cda24b5:1\n',
    'x0cda24b5:1',
    '0cda24b5:10000000000000000',
  ])('is not read from %j', (text) => {
    expect(parseChecksum(text)).toBeUndefined();
  });
});
