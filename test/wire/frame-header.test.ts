import { describe, expect, test } from 'vitest';
import {
  FIRST_STREAM_HANDLE,
  checkHandle,
  isProtocolHandle,
  writeHeader,
} from '../../src/wire/frame-header.js';

describe('a handle', () => {
  test('carries packets below 10,000, and the bytes of a stream from there on', () => {
    expect([0, 1, 9_999].map(isProtocolHandle)).toEqual([true, true, true]);
    expect([10_000, FIRST_STREAM_HANDLE].map(isProtocolHandle)).toEqual([false, false]);
  });

  test('that is no 32-bit number is named as a handle', () => {
    expect(() => {
      checkHandle(-1);
    }).toThrow(/^A handle /);
  });
});

test('a header is written where it is asked for, and nothing beside it', () => {
  const target = new Uint8Array(11).fill(0xee);
  writeHeader(target, 2, 0x0102_0304, 0x0506_0708);
  expect(Buffer.from(target).toString('hex')).toBe('eeee0506070801020304ee');
});
