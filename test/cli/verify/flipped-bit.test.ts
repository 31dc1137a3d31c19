import { expect, it } from 'vitest';
import { flippedBit } from '../../../src/cli/rx-amanda/verify/flipped-bit.js';
import { crc32c } from '../../../src/wire/crc32c.js';

it.each([0, 1, 7, 8, 4_095, 8_000, 79_999])('bit %i is found again', (place) => {
  const bytes = Buffer.alloc(10_000, 'x');
  const before = crc32c(bytes);
  bytes[place >> 3] = (bytes[place >> 3] ?? 0) ^ (1 << (place & 7));
  expect(flippedBit(before, crc32c(bytes), bytes.length)).toEqual({
    byte: place >> 3,
    bit: place & 7,
  });
});

it('two flipped bits are not taken for one', () => {
  const bytes = Buffer.alloc(1_000);
  const before = crc32c(bytes);
  bytes[1] = 3;
  expect(flippedBit(before, crc32c(bytes), bytes.length)).toBeUndefined();
  expect(flippedBit(before, before, bytes.length)).toBeUndefined();
});
