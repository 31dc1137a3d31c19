import { EMPTY } from 'rxjs';
import { expect, test } from 'vitest';
import { FrameWriter } from '../../src/connection/frame-writer.js';
import type { Channel } from '../../src/transport/channel.js';
import { encodeFrame } from '../../src/wire/frame.js';

/** A writer over a channel that takes one frame at a time, and what the channel was given. */
function writing() {
  const writes: (readonly Uint8Array[])[] = [];
  const channel = {
    peer: { driver: 'test' },
    bytes: EMPTY,
    drain: EMPTY,
    isIdle: false as boolean,
    framesApart: true,
    write(parts: readonly Uint8Array[]) {
      writes.push(parts);
      return true;
    },
    pause: () => undefined,
    resume: () => undefined,
    close: () => undefined,
    destroy: () => undefined,
  } satisfies Channel;
  return { channel, writes, writer: new FrameWriter(channel, queueMicrotask) };
}

const payload = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill);
const sizes = [32_768, 1, 2_048, 2_049, 262_200, 262_201, 4_194_304, 32_768];

test('each frame is written at once, in one part, and is not changed before it is sent', () => {
  const { writer, writes } = writing();
  const frames = sizes.map((size, index) => ({ handle: index + 1, payload: payload(size, index) }));
  for (const frame of frames) writer.write(frame.handle, frame.payload);
  expect(writes.map((parts) => parts.length)).toEqual(sizes.map(() => 1));
  for (const [index, frame] of frames.entries())
    expect(Buffer.compare(writes[index]?.[0] ?? payload(0, 0), encodeFrame(frame))).toBe(0);
});

test('the memory of frames that were sent is written to again', () => {
  const { channel, writer, writes } = writing();
  channel.isIdle = true;
  for (let count = 0; count < 40; count += 1) writer.write(1, payload(32_768, count));
  const memories = new Set(writes.map(([frame]) => frame?.buffer));
  expect(memories.size).toBeLessThan(3);
});

test('a payload may change when its frame has been written', () => {
  const { writer, writes } = writing();
  const bytes = payload(32_768, 1);
  writer.write(1, bytes);
  bytes.fill(2);
  expect(new Set(writes[0]?.[0]?.subarray(8))).toEqual(new Set([1]));
});
