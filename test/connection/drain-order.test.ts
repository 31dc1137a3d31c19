import { Readable } from 'node:stream';
import { Observable, filter, firstValueFrom, interval, merge, type Subscription } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { pump, type StreamSource } from '../../src/connection/pump.js';
import { DrainOrder } from '../../src/connection/drain-order.js';
import type { Stream } from '../../src/connection/stream.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import { memoryChannels } from '../../src/drivers/memory.js';
import type { Pullable } from '../../src/operators/pull.js';

describe('DrainOrder', () => {
  test('tells the present value and each change once', () => {
    const readiness = new DrainOrder();
    const told: boolean[] = [];
    readiness.set(false);
    readiness.subscribe((value) => told.push(value));
    readiness.set(false);
    readiness.set(true);
    readiness.set(true);
    expect(told).toEqual([false, true]);
  });

  test('emits nothing when the room is gone already; the stream that took it is the last one the next time', () => {
    const readiness = new DrainOrder();
    readiness.set(false);
    const told: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      readiness.subscribe((value) => {
        told.push(`${name} ${value}`);
        // c has nothing to send.
        if (value && name !== 'c') readiness.set(false);
      });
    }
    told.length = 0;
    for (let turn = 0; turn < 4; turn += 1) readiness.set(true);
    const taken = (name: string): string[] => [`${name} true`, `${name} false`];
    expect(told).toEqual([
      ...taken('a'),
      ...taken('b'),
      'c true',
      'a true',
      'c false',
      'a false',
      ...taken('b'),
    ]);
  });

  test('counts as a turn what a new stream takes', () => {
    const readiness = new DrainOrder();
    const told: string[] = [];
    for (const name of ['a', 'b']) {
      readiness.subscribe((value) => {
        if (!value) return;
        told.push(name);
        readiness.set(false);
      });
    }
    for (let turn = 0; turn < 3; turn += 1) readiness.set(true);
    expect(told).toEqual(['a', 'b', 'a', 'b']);
  });

  test('emits nothing to a stream that has unsubscribed, also in the middle of a change', () => {
    const readiness = new DrainOrder();
    readiness.set(false);
    const told: string[] = [];
    const others: Subscription[] = [];
    readiness.subscribe((value) => {
      told.push(`a ${value}`);
      others[0]?.unsubscribe();
    });
    others.push(readiness.subscribe((value) => told.push(`b ${value}`)));
    readiness.set(true);
    expect(told).toEqual(['a false', 'b false', 'a true']);
  });

  test('completes for all, and at once for later subscribers', () => {
    const readiness = new DrainOrder();
    const told: string[] = [];
    readiness.subscribe({
      next: (value) => told.push(`a ${value}`),
      complete: () => told.push('a over'),
    });
    readiness.complete();
    readiness.set(false);
    readiness.subscribe({
      next: (value) => told.push(`b ${value}`),
      complete: () => told.push('b over'),
    });
    expect(told).toEqual(['a true', 'a over', 'b over']);
  });
});

const COUNT = 60;
const chunk = new Uint8Array(30_000);

async function* generated(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < COUNT; at += 1) yield chunk;
}

/** Always has something to be taken. */
const pullable: Pullable<Uint8Array> = {
  pull: (wake) => {
    let left = COUNT;
    queueMicrotask(wake);
    return {
      get end() {
        return left === 0 ? {} : undefined;
      },
      take: () => (left === 0 ? undefined : ((left -= 1), chunk)),
      release: () => undefined,
      cancel: () => undefined,
    };
  },
};

/** As a program sends that looks at `ready` itself. */
function whileReady(stream: Stream): Observable<Uint8Array> {
  return new Observable((out) => {
    let left = COUNT;
    return stream.ready.subscribe((ready) => {
      for (; ready && stream.isReady && left > 0; left -= 1) stream.next(chunk);
      if (left === 0) out.complete();
    });
  });
}

describe('streams of one connection that always have something to send', () => {
  const kinds: readonly (readonly [string, (stream: Stream) => StreamSource])[] = [
    ['pullables', () => Object.assign(new Observable<Uint8Array>(), pullable)],
    ['programs that look at ready', whileReady],
    ['async iterables', () => generated()],
    ['Readables', () => Readable.from(generated(), { objectMode: false })],
  ];

  test.each([
    ...kinds.map(([name, source]) => [name, [source, source, source]] as const),
    ['one of each', kinds.map(([, source]) => source)] as const,
  ])('take turns: %s', async (_what, sources) => {
    const [near, far] = memoryChannels();
    const sender = new TcpmConnection(
      near,
      { side: 'initiator', user: undefined },
      { gather: false },
    );
    const receiver = new TcpmConnection(far, { side: 'initiator', user: undefined });
    const order: number[] = [];
    // A slow peer: one frame at a time.
    receiver.subscribe(({ handle, payload }) => {
      far.pause();
      if (payload.length > 0) order.push(handle);
    });
    const reading = interval(0).subscribe(() => {
      far.resume();
    });
    const streams = sources.map((source, index) => ({ source, stream: sender.stream(index + 1) }));
    for (const { stream } of streams) receiver.stream(stream.handle).discard();
    await new Promise<void>((resolve, reject) => {
      merge(...streams.map(({ source, stream }) => pump(source(stream), stream))).subscribe({
        complete: resolve,
        error: reject,
      });
    });
    await firstValueFrom(interval(1).pipe(filter(() => order.length === COUNT * sources.length)));
    reading.unsubscribe();
    // Shares differ, because streams send different amounts in a turn. No stream waits for
    // another's end.
    const firstHalf = order.slice(0, order.length / 2);
    const least = firstHalf.length / sources.length / 4;
    for (const { stream } of streams)
      expect(
        firstHalf.filter((handle) => handle === stream.handle).length,
        `stream ${stream.handle}`,
      ).toBeGreaterThan(least);
  });
});
