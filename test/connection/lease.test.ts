import { EMPTY, Observable, timer } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { Channel } from '../../src/transport/channel.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import { SLAB_BYTES } from '../../src/transport/buffer-pool.js';
import { SocketReader } from '../../src/transport/socket-reader.js';
import { recordConnection } from '../../src/diagram/record.js';
import { encodeFrame } from '../../src/wire/frame.js';
import { below, oneOf, randomFrom, type Random } from '../fuzz/random.js';

/**
 * A connection over what a socket would read, cut by `random`; `feed` has it read these bytes, as
 * fast as it lets.
 */
function reading(random: Random) {
  const reader = new SocketReader();
  const memories = new Set<ArrayBufferLike>();
  let isPaused = false;
  const channel: Channel = {
    peer: { driver: 'test' },
    bytes: new Observable((out) => reader.listen((chunk) => out.next(chunk))),
    drain: EMPTY,
    isIdle: true,
    framesApart: false,
    write: () => true,
    pause: () => (isPaused = true),
    resume: () => (isPaused = false),
    close: () => undefined,
    destroy: () => undefined,
  };
  const connection = new TcpmConnection(channel, { side: 'initiator', user: undefined });
  const feed = async (bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.length;) {
      const room = reader.onread.buffer as () => Uint8Array;
      const into = room();
      const most = random() < 0.7 ? into.length : below(random, into.length) + 1;
      const length = Math.min(most, bytes.length - at);
      into.set(bytes.subarray(at, at + length));
      memories.add(into.buffer);
      reader.onread.callback(length, into);
      at += length;
      await Promise.resolve();
      while (isPaused) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { connection, feed, memories };
}

/**
 * Payload byte number n of a handle: different for each place, so that a byte from elsewhere shows.
 */
const byteAt = (handle: number, n: number): number =>
  (Math.imul(n, 0x9e37_79b1) >>> 24) ^ (handle * 37);

function payload(handle: number, from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => byteAt(handle, from + index));
}

function isPayload(chunk: Uint8Array, handle: number, from: number): boolean {
  return chunk.every((byte, index) => byte === byteAt(handle, from + index));
}

const SIZES = [32_768, 32_768, 32_768, 32_768, 100_000, 262_144, 20_000, 700, 1] as const;

/** Frames of several streams in any order, and how many bytes each stream has. */
function traffic(
  random: Random,
  handles: readonly [number, ...number[]],
  total: number,
): { bytes: Uint8Array; lengths: Map<number, number> } {
  const lengths = new Map(handles.map((handle) => [handle, 0]));
  const frames: Uint8Array[] = [];
  for (let sum = 0; sum < total;) {
    const handle = oneOf(random, handles);
    const size = oneOf(random, SIZES);
    const from = lengths.get(handle) ?? 0;
    frames.push(encodeFrame({ handle, payload: payload(handle, from, size) }));
    lengths.set(handle, from + size);
    sum += size;
  }
  for (const handle of handles) frames.push(encodeFrame({ handle, payload: new Uint8Array(0) }));
  return { bytes: Buffer.concat(frames), lengths };
}

const MIB = 1_048_576;

describe('memory that is leased', () => {
  test.each(Array.from({ length: 12 }, (_, seed) => [seed]))(
    'never changes before it is released, and never if its reader keeps it (seed %i)',
    async (seed) => {
      const random = randomFrom(seed);
      const { connection, feed } = reading(random);
      const { bytes, lengths } = traffic(random, [1, 2, 3], 6 * MIB);
      const seen = new Map<number, number>();
      const wrong: string[] = [];
      const look = (handle: number, chunk: Uint8Array, from: number, when: string): void => {
        if (!isPayload(chunk, handle, from)) wrong.push(`handle ${handle}, from ${from}: ${when}`);
      };
      const count = (handle: number, chunk: Uint8Array): number => {
        const from = seen.get(handle) ?? 0;
        seen.set(handle, from + chunk.length);
        return from;
      };
      const atOnce = (chunk: Uint8Array) => {
        look(1, chunk, count(1, chunk), 'when it came');
        return EMPTY;
      };
      const slowly = (chunk: Uint8Array) => {
        const from = count(2, chunk);
        look(2, chunk, from, 'when it came');
        return new Observable<never>((done) =>
          timer(random() < 0.5 ? 0 : 2).subscribe(() => {
            look(2, chunk, from, 'when it was done');
            done.complete();
          }),
        );
      };
      const kept: Uint8Array[] = [];
      const ends = [
        connection.stream(1).paced(atOnce, { lease: true }),
        connection.stream(2).paced(slowly, { lease: true }),
        connection.stream(3).pipe(
          (chunks) =>
            new Observable<never>((out) =>
              chunks.subscribe({
                next: (chunk) => kept.push(chunk),
                complete: () => out.complete(),
              }),
            ),
        ),
      ].map(
        (stream) =>
          new Promise<void>((resolve, reject) =>
            stream.subscribe({ complete: resolve, error: reject }),
          ),
      );
      await feed(bytes);
      await Promise.all(ends);
      for (const chunk of kept) look(3, chunk, count(3, chunk), 'after all');
      expect(wrong).toEqual([]);
      expect(seen).toEqual(lengths);
    },
  );

  test('is read into again: a few slabs serve any amount', async () => {
    const random = randomFrom(99);
    const { connection, feed, memories } = reading(random);
    connection
      .stream(1)
      .paced(() => EMPTY, { lease: true })
      .subscribe();
    const frames = Array.from({ length: 1_000 }, () =>
      encodeFrame({ handle: 1, payload: new Uint8Array(32_768) }),
    );
    await feed(Buffer.concat(frames));
    expect(memories.size).toBeLessThan(8);
  });

  test('is not read into again if the reader keeps its chunks, or a tap does', async () => {
    const frames = Buffer.concat(
      Array.from({ length: 300 }, () =>
        encodeFrame({ handle: 1, payload: new Uint8Array(32_768) }),
      ),
    );
    const buffers = Math.floor(frames.length / SLAB_BYTES);
    const unlent = reading(randomFrom(5));
    unlent.connection
      .stream(1)
      .paced(() => EMPTY)
      .subscribe();
    await unlent.feed(frames);
    expect(unlent.memories.size).toBeGreaterThan(buffers);
    const watched = reading(randomFrom(5));
    watched.connection.subscribe();
    watched.connection
      .stream(1)
      .paced(() => EMPTY, { lease: true })
      .subscribe();
    await watched.feed(frames);
    expect(watched.memories.size).toBeGreaterThan(buffers);
  });

  test('goes on being leased while the connection is observed or recorded', async () => {
    const frames = Buffer.concat(
      Array.from({ length: 1_000 }, () =>
        encodeFrame({ handle: 1, payload: new Uint8Array(32_768) }),
      ),
    );
    for (const watch of [
      ({ connection }: ReturnType<typeof reading>) => connection.observe(() => undefined),
      ({ connection }: ReturnType<typeof reading>) => recordConnection(connection).subscribe(),
    ]) {
      const watched = reading(randomFrom(5));
      watch(watched);
      watched.connection
        .stream(1)
        .paced(() => EMPTY, { lease: true })
        .subscribe();
      await watched.feed(frames);
      expect(watched.memories.size).toBeLessThan(8);
    }
  });

  test('is read into again if a busy reader got a copy, and if the stream is discarded', async () => {
    const frames = Buffer.concat(
      Array.from({ length: 1_000 }, () =>
        encodeFrame({ handle: 1, payload: new Uint8Array(32_768) }),
      ),
    );
    const slow = reading(randomFrom(7));
    slow.connection
      .stream(1)
      .paced(() => timer(0), { lease: true })
      .subscribe();
    await slow.feed(frames);
    expect(slow.memories.size).toBeLessThan(8);
    const unwanted = reading(randomFrom(7));
    unwanted.connection.stream(1).discard();
    await unwanted.feed(frames);
    expect(unwanted.memories.size).toBeLessThan(8);
  });
});
