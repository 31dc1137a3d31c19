import { describe, expect, it } from 'vitest';
import { RunningChecksum } from '../../src/operators/checksum.js';
import { crc32c } from '../../src/wire/crc32c.js';

describe('RunningChecksum', () => {
  it('of nothing is zero', () => {
    expect(new RunningChecksum().toString()).toBe('00000000:0');
  });

  it('is CRC-32C and the byte count', () => {
    const sum = new RunningChecksum();
    sum.update(Buffer.from('123456789'));
    expect([sum.crc, sum.bytes, sum.toString()]).toEqual([0xe3069283, 9, 'e3069283:9']);
  });

  it('is the same however the bytes are cut', () => {
    const bytes = Uint8Array.from({ length: 10_000 }, (_, at) => (at * 7919) & 0xff);
    for (const cut of [0, 1, 15, 16, 17, 9_999, 10_000]) {
      const sum = new RunningChecksum();
      sum.update(bytes.subarray(0, cut));
      sum.update(bytes.subarray(cut));
      expect(sum.crc).toBe(crc32c(bytes));
    }
  });
});
