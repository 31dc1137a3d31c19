import { describe, expect, it } from 'vitest';
import { isAmandaError } from '../../src/wire/errors.js';
import { readCapture } from './readers.js';

type Order = 'LE' | 'BE';

function uint32(order: Order, ...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) =>
    order === 'LE' ? bytes.writeUInt32LE(value, 4 * index) : bytes.writeUInt32BE(value, 4 * index),
  );
  return bytes;
}

function uint16(order: Order, ...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  values.forEach((value, index) =>
    order === 'LE' ? bytes.writeUInt16LE(value, 2 * index) : bytes.writeUInt16BE(value, 2 * index),
  );
  return bytes;
}

function block(order: Order, type: number, ...body: readonly Uint8Array[]): Buffer {
  const inside = Buffer.concat(body);
  const padding = Buffer.alloc((4 - (inside.length % 4)) % 4);
  const length = 12 + inside.length + padding.length;
  return Buffer.concat([uint32(order, type, length), inside, padding, uint32(order, length)]);
}

const section = (order: Order): Buffer =>
  block(order, 0x0a0d0d0a, uint32(order, 0x1a2b3c4d), uint16(order, 1, 0), Buffer.alloc(8, 0xff));
const option = (order: Order, code: number, value: readonly number[]): Buffer =>
  Buffer.concat([
    uint16(order, code, value.length),
    Buffer.from(value),
    Buffer.alloc((4 - (value.length % 4)) % 4),
  ]);
const described = (
  order: Order,
  link: number,
  snap: number,
  ...options: readonly Buffer[]
): Buffer =>
  block(order, 1, uint16(order, link, 0), uint32(order, snap), ...options, uint32(order, 0));
const enhanced = (
  order: Order,
  by: number,
  high: number,
  low: number,
  data: string,
  length = data.length,
): Buffer => block(order, 6, uint32(order, by, high, low, data.length, length), Buffer.from(data));
const simple = (order: Order, data: string, length = data.length): Buffer =>
  block(order, 3, uint32(order, length), Buffer.from(data));
const obsolete = (order: Order, by: number, low: number, data: string): Buffer =>
  block(
    order,
    2,
    uint16(order, by, 7),
    uint32(order, 0, low, data.length, data.length),
    Buffer.from(data),
  );

function summary(file: Uint8Array, places: readonly number[] = []) {
  const { packets, error } = readCapture(file, places);
  return {
    packets: packets.map(({ at, link, bytes }) => [at, link, Buffer.from(bytes).toString()]),
    error: isAmandaError(error) ? `${error.code} ${error.message}` : error,
  };
}

describe('a pcapng file', () => {
  it.each(['LE', 'BE'] as const)(
    'of order %s is read with all kinds of packets, each at its interface’s clock, and other blocks skipped',
    (order) => {
      const file = Buffer.concat([
        section(order),
        described(order, 1, 0),
        described(
          order,
          276,
          4,
          option(order, 2, [...Buffer.from('eth7')]),
          option(order, 9, [3]),
          option(order, 14, order === 'LE' ? [10, 0, 0, 0, 0, 0, 0, 0] : [0, 0, 0, 0, 0, 0, 0, 10]),
        ),
        described(order, 101, 0, option(order, 9, [0x8a])),
        block(order, 0xbad, Buffer.alloc(70_000, 1)),
        enhanced(order, 0, 0, 1_500_000, 'one'),
        enhanced(order, 1, 0, 1_500, 'two!', 90),
        enhanced(order, 2, 1, 1_024, 'three'),
        simple(order, 'four and more'),
        obsolete(order, 1, 5, 'five'),
      ]);
      const expected = {
        packets: [
          [1_500, 1, 'one'],
          [11_500, 276, 'two!'],
          [2 ** 22 * 1_000 + 1_000, 101, 'three'],
          [2 ** 22 * 1_000 + 1_000, 1, 'four and more'],
          [10_005, 276, 'five'],
        ],
        error: undefined,
      };
      expect(summary(file)).toEqual(expected);
      expect(
        summary(
          file,
          Array.from({ length: 8_000 }, (_, index) => index * 9),
        ),
      ).toEqual(expected);
    },
  );

  it('may have sections of different orders, each with interfaces of its own', () => {
    const file = Buffer.concat([
      section('LE'),
      described('LE', 1, 0),
      enhanced('LE', 0, 0, 1_000, 'a'),
      section('BE'),
      described('BE', 113, 0),
      enhanced('BE', 0, 0, 2_000, 'b'),
    ]);
    expect(summary(file)).toEqual({
      packets: [
        [1, 1, 'a'],
        [2, 113, 'b'],
      ],
      error: undefined,
    });
  });

  it('keeps of a simple packet as much as the interface kept', () => {
    const file = Buffer.concat([
      section('LE'),
      described('LE', 1, 3),
      block('LE', 3, uint32('LE', 99), Buffer.from('abc')),
    ]);
    expect(summary(file).packets).toEqual([[0, 1, 'abc']]);
  });

  it('that ends early, or is damaged, gives what is before that place and says where it is', () => {
    const good = Buffer.concat([
      section('LE'),
      described('LE', 1, 0),
      enhanced('LE', 0, 0, 1_000, 'a'),
    ]);
    const at = good.length;
    const wrongTail = Buffer.from(enhanced('LE', 0, 0, 1_000, 'b'));
    wrongTail.writeUInt32LE(99, wrongTail.length - 4);
    const tooLong = Buffer.from(enhanced('LE', 0, 0, 1_000, 'b'));
    tooLong.writeUInt32LE(77, 20);
    const damage: readonly (readonly [Uint8Array, string])[] = [
      [
        uint32('LE', 6),
        `TRUNCATED The capture ends inside the block at byte ${at}, after packet 1.`,
      ],
      [
        enhanced('LE', 0, 0, 1_000, 'b').subarray(0, 20),
        `TRUNCATED The capture ends inside the block at byte ${at}, after packet 1.`,
      ],
      [
        block('LE', 0xbad, Buffer.alloc(50)).subarray(0, 40),
        'TRUNCATED The capture ends inside a block, after packet 1.',
      ],
      [
        section('LE').subarray(0, 8),
        `TRUNCATED The capture ends inside the block at byte ${at}, after packet 1.`,
      ],
      [
        wrongTail,
        `BAD_CAPTURE The capture is damaged: the block at byte ${at} (of type 6) has not the same length at both its ends.`,
      ],
      [
        tooLong,
        `BAD_CAPTURE The capture is damaged: the block at byte ${at} (of type 6) does not hold the packet that it announces.`,
      ],
      [
        enhanced('LE', 1, 0, 0, 'b'),
        `BAD_CAPTURE The capture is damaged: the block at byte ${at} (of type 6) does not hold the packet that it announces.`,
      ],
      [
        uint32('LE', 6, 0x7fff_fff0),
        `BAD_CAPTURE The capture is damaged: the block at byte ${at} (of type 6) would have 2147483632 bytes; none has so many.`,
      ],
      [
        uint32('LE', 0xbad, 8),
        `BAD_CAPTURE The capture is damaged: the block at byte ${at} (of type 2989) would have 8 bytes.`,
      ],
      [
        uint32('LE', 0x0a0d0d0a, 28, 5),
        `BAD_CAPTURE The capture is damaged: the section at byte ${at} has no byte order.`,
      ],
    ];
    for (const [bytes, error] of damage)
      expect(summary(Buffer.concat([good, bytes]))).toEqual({ packets: [[1, 1, 'a']], error });
  });
});
