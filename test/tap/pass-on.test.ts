import { Readable, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { passOn } from '../../src/tap/pass-on.js';
import { SLAB_BYTES, takeSlab } from '../../src/transport/buffer-pool.js';
import { SocketReader } from '../../src/transport/socket-reader.js';

test('memory that waits in the output is read into again only after it has been written', () => {
  const reader = new SocketReader();
  const written: { chunk: Uint8Array; done: () => void }[] = [];
  const output = new Writable({
    highWaterMark: 2 * SLAB_BYTES,
    write: (chunk: Uint8Array, _, done) => written.push({ chunk, done }),
  });
  const input = new Readable({ read: () => undefined });
  const listen = (next: (chunk: Uint8Array) => void) => reader.listen(next);
  passOn({ input, output, listen, onBytes: () => undefined });

  read(reader, 4_096, 1); // fills the first room, so the next reads go into slabs
  written[0]?.done();
  read(reader, SLAB_BYTES, 2);
  read(reader, 20_000, 3); // now the slab before is not needed by the reader any more
  const waiting = written[1]?.chunk;
  expect(waiting?.length).toBe(SLAB_BYTES);

  takeSlab().fill(9);
  expect(waiting?.every((byte) => byte === 2)).toBe(true);
  written[1]?.done();
  expect(takeSlab().buffer).toBe(waiting?.buffer);
});

/** Has a socket's reader read so many equal bytes. */
function read({ onread }: SocketReader, length: number, byte: number): void {
  const room = (onread.buffer as () => Uint8Array)();
  room.fill(byte, 0, length);
  onread.callback(length, room);
}
