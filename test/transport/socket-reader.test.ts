import { expect, test } from 'vitest';
import { hold, release, takeSlab } from '../../src/transport/buffer-pool.js';
import { SocketReader } from '../../src/transport/socket-reader.js';

/** Has a reader take reads of these sizes, each filled with its number; what it hands over. */
function read(reader: SocketReader, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  reader.listen((chunk) => {
    hold(chunk);
    chunks.push(chunk);
  });
  const { onread } = reader;
  for (const [index, size] of sizes.entries()) {
    const room = typeof onread.buffer === 'function' ? onread.buffer() : onread.buffer;
    const length = Math.min(size, room.length);
    room.fill(index + 1, 0, length);
    onread.callback(length, room);
  }
  return chunks;
}

/** What fills the first room, and then slabs. */
const growing = [4_096, 262_208, 262_208];

test('no memory that is held is written to again', () => {
  const sizes = [...growing, 100_000, 9_000, 300, 70_000, 262_144, 1];
  const chunks = read(new SocketReader(), sizes);
  for (const [index, chunk] of chunks.entries())
    expect(new Set(chunk)).toEqual(new Set([index + 1]));
});

test('reads follow one another in a slab until too little of it is left', () => {
  const chunks = read(new SocketReader(), [4_096, 100_000, 100_000, 60_000, 50_000]);
  expect(chunks.map(({ byteOffset }) => byteOffset)).toEqual([0, 0, 100_000, 200_000, 0]);
  expect(chunks[4]?.buffer).not.toBe(chunks[3]?.buffer);
});

test('a slab that is released is not read into before the read after next, since its last frame may be cut', () => {
  const reader = new SocketReader();
  const buffers: ArrayBufferLike[] = [];
  reader.listen((chunk) => {
    const other = takeSlab();
    release(other);
    expect(other.buffer).not.toBe(buffers.at(-1));
    buffers.push(chunk.buffer);
  });
  const { onread } = reader;
  for (let count = 0; count < 20; count += 1) {
    const room = (onread.buffer as () => Uint8Array)();
    onread.callback(room.length, room);
  }
  expect(new Set(buffers.slice(1)).size).toBeLessThan(6);
});

test('a short read is copied, and its place is read into again', () => {
  const [text, next] = read(new SocketReader(), [300, 2_000]);
  expect([text?.buffer.byteLength, next?.buffer.byteLength]).toEqual([300, 2_000]);
});

test('a short read after a large one stays beside it, and the short one after that is copied', () => {
  const [, large, short, text] = read(new SocketReader(), [4_096, 16_384, 8, 8]);
  expect([short?.buffer === large?.buffer, short?.byteOffset]).toEqual([true, 16_384]);
  expect(text?.buffer.byteLength).toBe(8);
});

test('what was read before the first listener is handed over first', () => {
  const reader = new SocketReader();
  reader.onread.callback(2, new Uint8Array(2));
  expect(read(reader, [3]).map(({ length }) => length)).toEqual([2, 3]);
});
