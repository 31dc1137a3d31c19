import { expect, test } from 'vitest';
import { HEADROOM_BYTES } from '../../src/drivers/large-buffers.js';
import { SocketReader } from '../../src/drivers/socket-reader.js';

/** Has a reader take reads of these sizes, each filled with its number; what it hands over. */
function read(reader: SocketReader, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  reader.listen((chunk) => chunks.push(chunk));
  const { onread } = reader;
  for (const [index, size] of sizes.entries()) {
    const room = typeof onread.buffer === 'function' ? onread.buffer() : onread.buffer;
    const length = Math.min(size, room.length);
    room.fill(index + 1, 0, length);
    onread.callback(length, room);
  }
  return chunks;
}

/** What a peer that sends as fast as it can fills: until the buffers are as large as they get. */
const growing = [4_096, 16_384, 65_536, 262_144];

test('no memory that was handed over is written to again', () => {
  const chunks = read(new SocketReader(), [...growing, 100_000, 9_000, 300, 70_000, 262_144, 1]);
  for (const [index, chunk] of chunks.entries()) expect(new Set(chunk)).toEqual(new Set([index + 1]));
});

test('a small buffer has nothing in front of it, a largest one the beginning of a frame', () => {
  const chunks = read(new SocketReader(), [...growing, 150_000, 100_000]);
  expect(chunks.map(({ byteOffset }) => byteOffset)).toEqual([0, 0, 0, HEADROOM_BYTES, HEADROOM_BYTES, HEADROOM_BYTES + 150_000]);
});

test('what is short is copied out, and its place read into again', () => {
  const [text, next] = read(new SocketReader(), [300, 2_000]);
  expect([text?.buffer.byteLength, next?.buffer.byteLength]).toEqual([300, 2_000]);
});

test('what was read before anybody listened is handed over first', () => {
  const reader = new SocketReader();
  reader.onread.callback(2, new Uint8Array(2));
  expect(read(reader, [3]).map(({ length }) => length)).toEqual([2, 3]);
});
