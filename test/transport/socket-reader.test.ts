import { expect, test } from 'vitest';
import { HEADROOM_BYTES } from '../../src/transport/large-buffers.js';
import { SocketReader } from '../../src/transport/socket-reader.js';

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
  for (const [index, chunk] of chunks.entries())
    expect(new Set(chunk)).toEqual(new Set([index + 1]));
});

test('a small buffer has nothing in front of it, a largest one the beginning of a frame', () => {
  const chunks = read(new SocketReader(), [...growing, 150_000, 100_000]);
  expect(chunks.map(({ byteOffset }) => byteOffset)).toEqual([
    0,
    0,
    0,
    HEADROOM_BYTES,
    HEADROOM_BYTES,
    HEADROOM_BYTES + 150_000,
  ]);
});

/** The bytes that a reader in this state asks for. */
function roomOf({ onread }: SocketReader): number {
  return (typeof onread.buffer === 'function' ? onread.buffer() : onread.buffer).length;
}

test('reads end with whole frames where they are known, and a buffer holds seven of Amanda’s', () => {
  const frame = 32_776;
  const reader = new SocketReader();
  read(reader, growing);
  expect(roomOf(reader)).toBe(7 * frame);
  reader.expect(1_000, frame);
  expect(roomOf(reader)).toBe(1_000 + 6 * frame);
  // What was asked for has come, and the rest of the buffer is too little.
  read(reader, [1_000 + 6 * frame]);
  reader.expect(0, frame);
  expect(roomOf(reader)).toBe(7 * frame);
  // Half of it, in the midst of a frame: the next ones are read behind it, to the last that fits.
  read(reader, [100_000]);
  reader.expect(4 * frame - 100_000, frame);
  expect(roomOf(reader)).toBe(7 * frame - 100_000);
});

test.each([
  ['a frame is longer than the buffer', 10_000, 262_152],
  ['the frame that has begun is', 230_000, 32_776],
  ['frames are short', 10, 72],
  ['nothing is known', 0, 8],
])('a read asks for all the room there is where %s', (_, missing, size) => {
  const reader = new SocketReader();
  read(reader, growing);
  reader.expect(missing, size);
  expect(roomOf(reader)).toBe(229_432);
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
