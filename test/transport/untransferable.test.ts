import { from, lastValueFrom, toArray, type Observable } from 'rxjs';
import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/connection/connection.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import type { Stream } from '../../src/connection/stream.js';
import { memoryChannels } from '../../src/drivers/memory.js';
import { toWritable } from '../../src/operators/to-writable.js';
import { encodeFrame } from '../../src/wire/frame.js';
import { giveAway } from '../support/give-away.js';

/** So long that a reader gets it where it lies. */
const LONG = new Uint8Array(20_000).fill(7);

/** Three frames for handles 1, 2 and 1 in one piece of memory, and the handles' streams. */
function joined(): {
  connection: Connection & { stream(handle: number): Stream };
  send: () => void;
} {
  const [here, there] = memoryChannels();
  const connection = new TcpmConnection(here, { side: 'initiator', user: undefined });
  const frames = [
    { handle: 1, payload: LONG },
    { handle: 2, payload: Uint8Array.of(4, 5) },
    { handle: 1, payload: Uint8Array.of(6) },
    { handle: 1, payload: new Uint8Array() },
    { handle: 2, payload: new Uint8Array() },
  ];
  return {
    connection,
    send: () => {
      there.write([new Uint8Array(Buffer.concat(frames.map(encodeFrame)))]);
      there.close();
    },
  };
}

const readers: Readonly<Record<string, (stream: Stream) => Observable<readonly number[]>>> = {
  subscribe: (stream) =>
    from(
      new Promise<number[]>((resolve, reject) => {
        const seen: number[] = [];
        const next = (chunk: Uint8Array): void => {
          seen.push(...chunk);
          giveAway(chunk);
        };
        stream.subscribe({ next, error: reject, complete: () => resolve(seen) });
      }),
    ),
  paced: (stream) =>
    from(
      lastValueFrom(
        stream
          .paced(async (chunk) => {
            const bytes = [...chunk];
            giveAway(chunk);
            await new Promise((resolve) => setImmediate(resolve));
            return bytes;
          })
          .pipe(toArray()),
      ).then((all) => all.flat()),
    ),
  'for await': (stream) =>
    from(
      (async () => {
        const seen: number[] = [];
        for await (const chunk of stream) {
          seen.push(...chunk);
          giveAway(chunk);
        }
        return seen;
      })(),
    ),
  toReadable: (stream) =>
    from(
      (async () => {
        const seen: number[] = [];
        for await (const chunk of stream.toReadable()) {
          seen.push(...(chunk as Uint8Array));
          giveAway(chunk as Uint8Array);
        }
        return seen;
      })(),
    ),
  toWritable: (stream) =>
    from(
      (async () => {
        const seen: number[] = [];
        const sink = new Writable({
          write: (chunk: Uint8Array, _, done) => {
            seen.push(...chunk);
            giveAway(chunk);
            setImmediate(done);
          },
        });
        await lastValueFrom(stream.pipe(toWritable(sink)), { defaultValue: undefined });
        return seen;
      })(),
    ),
};

describe('a reader that gives the memory of its chunks to another thread', () => {
  test.each(Object.entries(readers))(
    'by %s takes no bytes from itself or from others',
    async (_, read) => {
      const { connection, send } = joined();
      const other = lastValueFrom(connection.stream(2).pipe(toArray()));
      const own = lastValueFrom(read(connection.stream(1)));
      send();
      expect(await own).toEqual([...LONG, 6]);
      expect(await other).toEqual([new Uint8Array([4, 5])]);
      expect(connection.stream(1).held).toBe(0);
    },
  );

  test('by subscribe, late, leaves the memory of what has waited where it is', async () => {
    const { connection, send } = joined();
    const stream = connection.stream(1);
    send();
    const lengths: number[] = [];
    await new Promise<void>((resolve, reject) => {
      const next = (chunk: Uint8Array): void => {
        giveAway(chunk);
        lengths.push(chunk.length);
      };
      stream.subscribe({ next, error: reject, complete: resolve });
    });
    expect(lengths).toEqual([LONG.length, 1]);
  });

  test('by a tap takes none from the readers', async () => {
    const { connection, send } = joined();
    connection.subscribe({ next: ({ payload }) => giveAway(payload), error: () => undefined });
    const own = lastValueFrom(connection.stream(1).pipe(toArray()));
    send();
    expect(await own).toEqual([LONG, new Uint8Array([6])]);
  });
});
