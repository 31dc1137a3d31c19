import { describe, expect, it } from 'vitest';
import { captureReader } from '../../src/capture/saved-capture.js';
import { isAmandaError } from '../../src/wire/errors.js';
import { readCapture } from './readers.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

/** Two packets, of 3 and 2 bytes (of which the second had 9), at 1.5 s and 2.25 s. */
const forms: readonly (readonly [string, Buffer])[] = [
  [
    'little-endian with microseconds',
    hex(`d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000
         01000000 20a10700 03000000 03000000 aabbcc
         02000000 90d00300 02000000 09000000 ddee`),
  ],
  [
    'big-endian with microseconds',
    hex(`a1b2c3d4 0002 0004 00000000 00000000 00040000 00000001
         00000001 0007a120 00000003 00000003 aabbcc
         00000002 0003d090 00000002 00000009 ddee`),
  ],
  [
    'little-endian with nanoseconds',
    hex(`4d3cb2a1 0200 0400 00000000 00000000 00000400 01000000
         01000000 0065cd1d 03000000 03000000 aabbcc
         02000000 80b2e60e 02000000 09000000 ddee`),
  ],
  [
    'big-endian with nanoseconds, and a checksum after each frame',
    hex(`a1b23c4d 0002 0004 00000000 00000000 00040000 14000001
         00000001 1dcd6500 00000003 00000003 aabbcc
         00000002 0ee6b280 00000002 00000009 ddee`),
  ],
];

describe('a pcap file', () => {
  it.each(forms)('%s is read, however it is cut', (_, file) => {
    for (const places of [[], [3, 24, 30], Array.from(file.keys())]) {
      const { packets, error } = readCapture(file, places);
      expect(error).toBeUndefined();
      expect(
        packets.map(({ bytes, ...rest }) => ({
          ...rest,
          bytes: Buffer.from(bytes).toString('hex'),
        })),
      ).toEqual([
        { number: 1, at: 1500, link: 1, bytes: 'aabbcc' },
        { number: 2, at: 2250, link: 1, bytes: 'ddee' },
      ]);
    }
  });

  it('that ends early gives the packets before that place, and says where it is', () => {
    const file = forms[0]?.[1] ?? hex('');
    const ends = [10, 24, 30, 42, 43, 60, 61].map((end) => {
      const { packets, error } = readCapture(file.subarray(0, end));
      return [end, packets.length, isAmandaError(error) ? `${error.code} ${error.message}` : error];
    });
    expect(ends).toEqual([
      [10, 0, 'TRUNCATED The capture ends inside its header, 10 of 24 bytes in.'],
      [24, 0, undefined],
      [30, 0, 'TRUNCATED The capture ends inside the header of packet 1 at byte 24.'],
      [42, 0, 'TRUNCATED The capture ends inside packet 1 at byte 24, 2 of 3 bytes in.'],
      [43, 1, undefined],
      [60, 1, 'TRUNCATED The capture ends inside packet 2 at byte 43, 1 of 2 bytes in.'],
      [61, 2, undefined],
    ]);
  });

  it('with a packet that cannot be so large is damaged there', () => {
    const file = Buffer.from(forms[0]?.[1] ?? '');
    file.writeUInt32LE(0x7fff_ffff, 43 + 8);
    const { packets, error } = readCapture(file);
    expect(packets).toHaveLength(1);
    expect(error).toMatchObject({
      code: 'BAD_CAPTURE',
      message:
        'The capture is damaged: packet 2 at byte 43 would have 2147483647 bytes; none has over 262144.',
    });
  });

  it('is known by its first bytes', () => {
    expect(captureReader(hex('d4c3b2a1'))).toBeDefined();
    expect(captureReader(hex('d4c3b2'))).toBeUndefined();
    expect(captureReader(hex('00000002'))).toBeUndefined();
  });
});
