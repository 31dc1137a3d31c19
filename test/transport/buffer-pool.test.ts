import { describe, expect, test } from 'vitest';
import { SLAB_BYTES, hold, release, takeSlab } from '../../src/transport/buffer-pool.js';

/** The buffers that the pool hands out next; it is empty afterwards. */
function nextBuffers(): ArrayBufferLike[] {
  return Array.from({ length: 12 }, takeSlab).map(({ buffer }) => buffer);
}

describe('a slab', () => {
  test('is handed out again when its last holder has released it', () => {
    const slab = takeSlab();
    const chunks = [slab.subarray(0, 10), slab.subarray(10, 20)];
    for (const chunk of chunks) hold(chunk);
    release(slab);
    expect(nextBuffers()).not.toContain(slab.buffer);
    release(slab.subarray(0, 10));
    expect(nextBuffers()).not.toContain(slab.buffer);
    release(slab.subarray(10, 20));
    expect(nextBuffers()).toContain(slab.buffer);
  });

  test('is never handed out twice at once', () => {
    nextBuffers();
    const buffers = Array.from({ length: 20 }, takeSlab).map(({ buffer }) => buffer);
    expect(new Set(buffers).size).toBe(20);
  });

  test('that is never released is left to the collector', () => {
    const slab = takeSlab();
    hold(slab);
    release(slab);
    expect(nextBuffers()).not.toContain(slab.buffer);
  });

  test('counts a release that is one too many for nothing', () => {
    const slab = takeSlab();
    release(slab);
    release(slab);
    const buffers = Array.from({ length: 20 }, takeSlab).map(({ buffer }) => buffer);
    expect(buffers.filter((buffer) => buffer === slab.buffer).length).toBeLessThan(2);
  });

  test('stays in this thread', () => {
    const slab = takeSlab();
    const before = slab.length;
    try {
      structuredClone(slab, { transfer: [slab.buffer] });
    } catch {
      // Later versions of Node refuse.
    }
    expect([before, slab.length]).toEqual([SLAB_BYTES, SLAB_BYTES]);
  });
});

test('memory that is no slab can be held and released without any effect', () => {
  const chunk = new Uint8Array(SLAB_BYTES);
  hold(chunk);
  release(chunk);
  release(chunk);
  expect(nextBuffers()).not.toContain(chunk.buffer);
});

test('the pool keeps a few free slabs and leaves the others to the collector', () => {
  const many = Array.from({ length: 40 }, takeSlab);
  for (const slab of many) release(slab);
  const again = Array.from({ length: 40 }, takeSlab).map(({ buffer }) => buffer);
  const kept = many.filter(({ buffer }) => again.includes(buffer));
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.length).toBeLessThanOrEqual(8);
});
