import { Readable } from 'node:stream';
import {
  NEVER,
  Subject,
  from,
  firstValueFrom,
  lastValueFrom,
  of,
  throwError,
  toArray,
  type Observable,
} from 'rxjs';
import { describe, expect, test } from 'vitest';
import { pump, type StreamSource } from '../../src/connection/pump.js';
import { release, takeSlab } from '../../src/transport/buffer-pool.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import { memoryChannels } from '../../src/drivers/memory.js';
import type { Pullable } from '../../src/operators/pull.js';
import { pulled } from '../../src/operators/iterate.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A stream, and what its peer reads of it; the peer starts to read when it is told to. */
function opened() {
  const [near, far] = memoryChannels();
  const sender = new TcpmConnection(
    near,
    { side: 'initiator', user: undefined },
    { gather: false },
  );
  const receiver = new TcpmConnection(
    far,
    { side: 'initiator', user: undefined },
    { gather: false, receiveBudget: 4_096 },
  );
  const read = async (): Promise<number> =>
    (await lastValueFrom(receiver.stream(7).pipe(toArray()))).reduce(
      (sum, { length }) => sum + length,
      0,
    );
  return { stream: sender.stream(7), read };
}

const end = (sent: Observable<never>): Promise<unknown> =>
  lastValueFrom(sent, { defaultValue: 'complete' });

async function* generated(count: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at += 1) yield new Uint8Array(10_000);
}

describe('pump', () => {
  test.each<[string, () => StreamSource, number]>([
    ['an Observable', () => from([bytes('ab'), bytes('c')]), 3],
    ['a promise', () => Promise.resolve(bytes('abc')), 3],
    ['an array', () => [bytes('ab'), bytes('c')], 3],
    ['an async iterable larger than the channel takes', () => generated(100), 1_000_000],
    [
      'a Readable larger than the channel takes',
      () => Readable.from(generated(100), { objectMode: false }),
      1_000_000,
    ],
    ['nothing', () => [], 0],
  ])('sends %s and closes', async (_what, source, length) => {
    const { stream, read } = opened();
    const sent = end(pump(source(), stream));
    expect(await read()).toBe(length);
    expect(await sent).toBe('complete');
  });

  test('sends another stream at the pace of its peer', async () => {
    const first = opened();
    const second = opened();
    const sent = Promise.all([end(pump(generated(100), first.stream)), first.read()]);
    await sent;
    const [near, far] = memoryChannels();
    const source = new TcpmConnection(
      near,
      { side: 'initiator', user: undefined },
      { gather: false },
    ).stream(1);
    far.write([Uint8Array.from([0, 0, 0, 1, 0, 0, 0, 1, 0x61, 0, 0, 0, 0, 0, 0, 0, 1])]);
    const copied = end(pump(source, second.stream));
    expect(await second.read()).toBe(1);
    expect(await copied).toBe('complete');
  });

  test.each<[string, () => StreamSource]>([
    ['an Observable', () => throwError(() => new Error('gone'))],
    [
      'an async iterable',
      async function* (): AsyncGenerator<Uint8Array> {
        yield bytes('a');
        throw new Error('gone');
      },
    ],
    [
      'a Readable',
      () =>
        new Readable({
          read: function () {
            this.destroy(new Error('gone'));
          },
        }),
    ],
    [
      'a Readable that is destroyed already',
      () => new Readable().on('error', () => undefined).destroy(new Error('gone')),
    ],
  ])('passes on the error of %s and does not close', async (_what, source) => {
    const { stream } = opened();
    await expect(end(pump(source(), stream))).rejects.toThrow('gone');
    stream.next(bytes('still open'));
  });

  test('a Readable that has ended already is an empty one', async () => {
    const { stream, read } = opened();
    const readable = Readable.from([]);
    await readable.toArray();
    expect(await end(pump(readable, stream))).toBe('complete');
    expect(await read()).toBe(0);
  });

  test('a Readable destroyed without an error is not complete', async () => {
    const { stream } = opened();
    const readable = new Readable({ read: () => undefined });
    const sent = end(pump(readable, stream));
    readable.destroy();
    await expect(sent).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
  });

  test('unsubscribing destroys a Readable, ends an iterable and gives a stream its credit back', async () => {
    const { stream } = opened();
    const readable = new Readable({ read: () => undefined });
    pump(readable, stream).subscribe().unsubscribe();
    expect(readable.destroyed).toBe(true);
    let ended = false;
    const iterable: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: () => {
          ended = true;
          return Promise.resolve({ done: true, value: undefined });
        },
      }),
    };
    pump(iterable, stream).subscribe().unsubscribe();
    expect(ended).toBe(true);
    const other = opened().stream;
    pump(other, stream).subscribe().unsubscribe();
    expect(await firstValueFrom(other.ends)).toMatchObject({ receiving: 'dropped' });
    await lastValueFrom(of(0));
  });

  test.each<[string, (source: AsyncGenerator<Uint8Array>) => StreamSource]>([
    ['an async iterable', (source) => source],
    ['a Readable', (source) => Readable.from(source, { objectMode: false })],
  ])('stops %s without an end when the connection is lost', async (_what, sourceOf) => {
    const [near] = memoryChannels();
    const sender = new TcpmConnection(
      near,
      { side: 'initiator', user: undefined },
      { gather: false },
    );
    sender.ended.subscribe({ error: () => undefined });
    let stopped: () => void = () => undefined;
    const hasStopped = new Promise<void>((resolve) => (stopped = resolve));
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield await Promise.resolve(new Uint8Array(10_000));
      } finally {
        stopped();
      }
    }
    let outcome = 'none';
    const sent = pump(sourceOf(endless()), sender.stream(7)).subscribe({
      complete: () => (outcome = 'complete'),
      error: () => (outcome = 'error'),
    });
    sender.abort(new Error('gone'));
    await hasStopped;
    expect(outcome).toBe('none');
    sent.unsubscribe();
  });

  test('returns the memory of a chunk when the channel has sent it', () => {
    const [near, far] = memoryChannels();
    const drain = new Subject<void>();
    const channel = {
      ...near,
      bytes: NEVER,
      drain,
      isIdle: false,
      write: () => channel.isIdle,
      close: () => undefined,
    };
    far.destroy();
    const connection = new TcpmConnection(channel, { side: 'initiator', user: undefined });
    const slabs = [takeSlab(), takeSlab(), takeSlab()];
    const waiting = [...slabs];
    let wake: () => void = () => undefined;
    const source: Pullable<Uint8Array> = {
      pull: (woken) => {
        wake = woken;
        return {
          end: undefined,
          take: () => waiting.shift(),
          release,
          cancel: () => undefined,
        };
      },
    };
    const freeOnes = (): number => {
      const taken = Array.from({ length: 12 }, takeSlab).map(({ buffer }) => buffer);
      return slabs.filter(({ buffer }) => taken.includes(buffer)).length;
    };
    const pumping = pump(pulled(source), connection.stream(7)).subscribe();
    expect(freeOnes()).toBe(0);
    channel.isIdle = true;
    drain.next();
    connection.close();
    expect(freeOnes()).toBe(3);
    pumping.unsubscribe();
    wake();
  });
});
