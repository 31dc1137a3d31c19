import { Subject } from 'rxjs';
import { expect, test } from 'vitest';
import { FrameWriter } from '../../src/connection/frame-writer.js';
import { release, takeSlab } from '../../src/transport/buffer-pool.js';
import type { Channel } from '../../src/transport/channel.js';

/** A channel that is full after each write, and a writer that flushes when it is told to. */
function writing() {
  const drain = new Subject<void>();
  const writes: (readonly Uint8Array[])[] = [];
  let flush: (() => void) | undefined;
  const channel = {
    peer: { driver: 'test' },
    bytes: new Subject<Uint8Array>(),
    drain,
    isIdle: false as boolean,
    framesApart: false,
    write(parts: readonly Uint8Array[]) {
      writes.push(parts);
      return false;
    },
    pause: () => undefined,
    resume: () => undefined,
    close: () => undefined,
    destroy: () => undefined,
  } satisfies Channel;
  const writer = new FrameWriter(channel, (later) => (flush = later));
  return { channel, drain, writer, writes, flush: () => flush?.() };
}

/** Whether the pool hands out this memory next. The pool is empty besides. */
function isFree({ buffer }: Uint8Array): boolean {
  return takeSlab().buffer === buffer;
}

test('memory of frames that are gathered is not free when what was written before has left', () => {
  const { channel, drain, writer, writes, flush } = writing();
  // Empties the pool.
  for (let count = 0; count < 12; count += 1) takeSlab();
  // The channel is full after the first frames; the rest of the same chunk is gathered.
  writer.write(1, new Uint8Array(491_520));
  expect(writes.length).toBe(1);
  const slab = takeSlab();
  writer.write(1, slab.subarray(0, 32_768));
  release(slab);
  channel.isIdle = true;
  drain.next();
  expect([writes.length, isFree(slab)]).toEqual([1, false]);
  channel.isIdle = false;
  flush();
  expect([writes.length, isFree(slab)]).toEqual([2, false]);
  channel.isIdle = true;
  drain.next();
  expect(isFree(slab)).toBe(true);
});
