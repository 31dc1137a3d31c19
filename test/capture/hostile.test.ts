import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AmandaCapture } from '../../src/capture/amanda-capture.js';
import { captureReader } from '../../src/capture/saved-capture.js';
import type { CapturedPacket } from '../../src/capture/captured-packet.js';
import { isAmandaError } from '../../src/wire/errors.js';
import { conversation } from '../support/captures.js';
import { cutAt } from '../fuzz/bytes.js';
import { flags, onEthernet, pcap, segmentsOf } from './packets.js';
import { connectionsOf, readCapture } from './readers.js';

const whole = pcap(
  segmentsOf(conversation('amdump.2').bytes).map((segment, at) => ({
    at,
    bytes: onEthernet(segment),
  })),
);

/** One of each block, and a packet. */
const blocks = Buffer.from(
  [
    '0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000',
    '0100000020000000010000000000000009000100060000000000000020000000',
    '0600000024000000000000000000000000000000040000000400000061626364' + '24000000',
  ].join(''),
  'hex',
);

describe('a hostile capture', () => {
  it('is read, or refused with an AmandaError', () => {
    const heads = [
      whole.subarray(0, 24),
      whole.subarray(0, 200),
      blocks,
      blocks.subarray(0, 28),
      Buffer.from('a1b23c4d', 'hex'),
      Buffer.alloc(0),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...heads),
        fc.uint8Array({ maxLength: 400 }),
        fc.array(fc.nat(500), { maxLength: 5 }),
        (head, tail, places) => {
          const { packets, error } = readCapture(Buffer.concat([head, tail]), places);
          connectionsOf(packets, { port: 0 });
          return error === undefined || error === 'no capture' || isAmandaError(error);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('that is a real one with damage gives what is before it', () => {
    for (const file of [whole, Buffer.concat([blocks, blocks, blocks])]) {
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }),
          fc.nat(file.length),
          (flips, end) => {
            const damaged = Buffer.from(file);
            for (const [at, value] of flips) damaged[at] = value;
            const { packets, error } = readCapture(damaged.subarray(0, end));
            connectionsOf(packets);
            return error === undefined || error === 'no capture' || isAmandaError(error);
          },
        ),
        { numRuns: 200 },
      );
    }
  });

  it('is the same however it is cut', () => {
    const lengths = (places: readonly number[]) =>
      readCapture(whole, places).packets.map(({ at, bytes }) => [at, bytes.length]);
    expect(cutAt(whole, [5]).length).toBe(2);
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length)), (places) => {
        expect(lengths(places)).toEqual(lengths([]));
      }),
      { numRuns: 50 },
    );
  });

  it(
    'takes time in proportion to its size: a byte at a time, all out of order, a connection a packet',
    { timeout: 60_000 },
    () => {
      const seconds = (work: () => void): number => {
        const start = performance.now();
        work();
        return (performance.now() - start) / 1_000;
      };
      const syn = (sequence: number, initiator: number) => ({
        number: 1,
        at: 0,
        link: 1,
        bytes: onEthernet({ sequence, flags: flags.syn }, { initiator, target: 10_080 }),
      });
      const early = Array.from({ length: 30_000 }, (_, index) => ({
        number: 1,
        at: 0,
        link: 1,
        bytes: onEthernet({ sequence: 1_000_000 - 2 * index, payload: 'x' }),
      }));
      const bytewise = pcap([{ at: 0, bytes: new Uint8Array(262_144) }]);
      const pieces = Array.from(bytewise, (_, at) => bytewise.subarray(at, at + 1));
      const telling = (packets: readonly CapturedPacket[]): number =>
        seconds(() => {
          const capture = new AmandaCapture(() => undefined);
          for (const packet of packets) capture.push(packet);
          capture.end();
        });
      // Each takes far below a second; what grows with the square of its size would take minutes.
      expect(telling([syn(0, 700), ...early])).toBeLessThan(10);
      expect(telling(Array.from({ length: 20_000 }, (_, index) => syn(index, index)))).toBeLessThan(
        10,
      );
      expect(
        seconds(() => {
          const reader = captureReader(bytewise.subarray(0, 4));
          for (const piece of pieces) reader?.push(piece, () => undefined);
          reader?.end();
        }),
      ).toBeLessThan(10);
    },
  );
});
