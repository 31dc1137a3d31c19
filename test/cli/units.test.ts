import { describe, expect, it } from 'vitest';
import { describeFrame } from '../../src/cli/terminal/trace.js';
import { count, formatBytes, formatTime } from '../../src/cli/terminal/units.js';

describe('what a person reads', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.00 KiB'],
    [43_008, '42.0 KiB'],
    [1_048_576, '1.00 MiB'],
    [5_000_000_000, '4.66 GiB'],
    [2 ** 62, '4096 PiB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [0, '0.00 s'],
    [12_340, '12.3 s'],
    [61_000, '1 min 1 s'],
    [3_599_600, '1 h 0 min'],
    [7_500_000, '2 h 5 min'],
  ])('%d ms are %s', (milliseconds, text) => {
    expect(formatTime(milliseconds)).toBe(text);
  });

  it('has a plural', () => {
    expect([count(0, 'file'), count(1, 'file'), count(2, 'file')]).toEqual([
      '0 files',
      '1 file',
      '2 files',
    ]);
  });
});

describe('a frame', () => {
  it('is shown as the packet that it is on a protocol handle', () => {
    expect(describeFrame({ handle: 1, payload: Buffer.from('\x04ERROR no\n\0') })).toBe(
      'handle 1: NAK, 11 bytes "ERROR no\\n"',
    );
  });

  it('is shown by its first bytes on a stream, without what moves a terminal', () => {
    expect(describeFrame({ handle: 499_999, payload: Buffer.from('a\u001b[2J') })).toBe(
      'handle 499999: data, 5 bytes "a\\x1b[2J"',
    );
    expect(describeFrame({ handle: 499_999, payload: Buffer.alloc(401, 'x') })).toBe(
      `handle 499999: data, 401 bytes "${'x'.repeat(400)}"…`,
    );
  });

  it('of no bytes is a close', () => {
    expect(describeFrame({ handle: 7, payload: new Uint8Array() })).toBe('handle 7: close');
  });
});
