import { describe, expect, test } from 'vitest';
import { FIRST_STREAM_HANDLE, isProtocolHandle } from '../../src/wire/frame-header.js';

describe('a handle', () => {
  test('carries packets below 10,000, and the bytes of a stream from there on', () => {
    expect([0, 1, 9_999].map(isProtocolHandle)).toEqual([true, true, true]);
    expect([10_000, FIRST_STREAM_HANDLE].map(isProtocolHandle)).toEqual([false, false]);
  });
});
