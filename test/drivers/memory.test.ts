import { describe, expect, test } from 'vitest';
import { memoryChannels } from '../../src/drivers/memory.js';

describe('a channel in memory', () => {
  test('that is saturated drains also when its peer takes a chunk at a time', () => {
    const [near, far] = memoryChannels();
    let drained = 0;
    near.drain.subscribe(() => (drained += 1));
    let taken = 0;
    far.pause();
    far.bytes.subscribe((chunk) => {
      taken += chunk.length;
      far.pause();
    });
    expect(near.write([new Uint8Array(30_000)])).toBe(true);
    expect(near.write([new Uint8Array(30_000)])).toBe(true);
    expect(near.write([new Uint8Array(30_000)])).toBe(false);
    for (const [bytes, times] of [
      [30_000, 0],
      [60_000, 0],
      [90_000, 1],
      [90_000, 1],
    ]) {
      far.resume();
      expect([taken, drained]).toEqual([bytes, times]);
    }
  });
});
