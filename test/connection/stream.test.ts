import {
  Subject,
  concatMap,
  delay,
  firstValueFrom,
  lastValueFrom,
  of,
  share,
  take,
  toArray,
} from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { Channel } from '../../src/transport/channel.js';
import type { ConnectionOptions } from '../../src/connection/options.js';
import type { Ends } from '../../src/connection/stream.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import { memoryChannels } from '../../src/drivers/memory.js';
import { FrameDecoder, encodeFrame } from '../../src/wire/frame.js';

const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const textOf = (chunks: readonly Uint8Array[]): string => Buffer.concat(chunks).toString();

/** A connection, and its peer's end of the channel with what was sent there. */
function opened(options: ConnectionOptions = {}): {
  connection: TcpmConnection;
  peer: Channel;
  sent: [number, string][];
} {
  const [near, peer] = memoryChannels();
  const connection = new TcpmConnection(
    near,
    { side: 'initiator', user: undefined },
    { gather: false, ...options },
  );
  const sent: [number, string][] = [];
  const decoder = new FrameDecoder();
  peer.bytes.subscribe((chunk) => {
    for (const { handle, payload } of decoder.push(chunk))
      sent.push([handle, Buffer.from(payload).toString()]);
  });
  return { connection, peer, sent };
}

const a = bytes('00000001 00000007 61');
const b = bytes('00000001 00000007 62');
const close = bytes('00000000 00000007');

describe('a stream', () => {
  test('is the same object each time, until both its directions have closed', () => {
    const { connection, peer } = opened();
    const stream = connection.stream(7);
    expect(connection.stream(7)).toBe(stream);
    stream.complete();
    expect(connection.stream(7)).toBe(stream);
    peer.write([close]);
    expect(connection.stream(7)).not.toBe(stream);
  });

  test('keeps its bytes from the first on, for a reader that comes late', async () => {
    const { connection, peer } = opened();
    peer.write([a, b, close]);
    expect(textOf(await lastValueFrom(connection.stream(7).pipe(toArray())))).toBe('ab');
  });

  test('that was closed without a byte before anybody asked for it is complete', async () => {
    const { connection, peer } = opened();
    peer.write([close]);
    expect(await lastValueFrom(connection.stream(7).pipe(toArray()))).toEqual([]);
  });

  test('closed over and over without being asked for costs nothing', async () => {
    const { connection, peer } = opened({ maxHandles: 3 });
    for (let handle = 10; handle < 200; handle += 1)
      peer.write([bytes(`00000000 000000${handle.toString(16).padStart(2, '0')}`)]);
    expect(await lastValueFrom(connection.stream(199).pipe(toArray()))).toEqual([]);
  });

  test('has one reader; share() is how to have several', async () => {
    const { connection, peer } = opened();
    const stream = connection.stream(7);
    const shared = stream.pipe(share());
    const both = Promise.all([
      lastValueFrom(shared.pipe(toArray())),
      lastValueFrom(shared.pipe(toArray())),
    ]);
    await expect(firstValueFrom(stream)).rejects.toMatchObject({ code: 'ALREADY_READ', handle: 7 });
    expect(() => {
      stream.discard();
    }).toThrow(expect.objectContaining({ code: 'ALREADY_READ' }));
    peer.write([a, close]);
    expect((await both).map(textOf)).toEqual(['a', 'a']);
  });

  test('errors with what had arrived when the connection ends first, after the bytes', async () => {
    const { connection, peer } = opened();
    peer.write([a]);
    peer.close();
    const seen: string[] = [];
    const reading = lastValueFrom(
      connection.stream(7).pipe(concatMap((chunk) => of(seen.push(textOf([chunk]))))),
    );
    await expect(reading).rejects.toMatchObject({ code: 'CONNECTION_LOST', handle: 7 });
  });

  test('read by iteration gives each chunk, and the end', async () => {
    const { connection, peer } = opened();
    peer.write([a, b, close]);
    const seen: Uint8Array[] = [];
    for await (const chunk of connection.stream(7)) seen.push(chunk);
    expect(textOf(seen)).toBe('ab');
  });

  test('left in the middle of an iteration gives all credit back and drops the rest', async () => {
    const { connection, peer } = opened();
    peer.write([a, b]);
    for await (const chunk of connection.stream(7)) {
      expect(textOf([chunk])).toBe('a');
      break;
    }
    peer.write([b]);
    expect(await firstValueFrom(connection.flow)).toMatchObject({ held: 0, holders: [] });
  });

  test('read through a Readable arrives whole', async () => {
    const { connection, peer } = opened();
    const readable = connection.stream(7).toReadable();
    peer.write([a, b, close]);
    const seen: Uint8Array[] = [];
    for await (const chunk of readable) seen.push(chunk as Uint8Array);
    expect(textOf(seen)).toBe('ab');
  });

  test('a Readable of a stream that is cut off is destroyed with the error', async () => {
    const { connection, peer } = opened();
    const readable = connection.stream(7).toReadable();
    peer.write([a]);
    peer.close();
    await expect(readable.toArray()).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  });

  test('in paced reading pays a chunk back when its work is done, and not before', async () => {
    const { connection, peer } = opened();
    const work = new Subject<string>();
    const out = lastValueFrom(
      connection
        .stream(7)
        .paced(() => work.pipe(take(1)))
        .pipe(toArray()),
    );
    peer.write([a, b, close]);
    expect(await firstValueFrom(connection.flow)).toMatchObject({ held: 2 * 513 });
    work.next('A');
    expect(await firstValueFrom(connection.flow)).toMatchObject({ held: 513 });
    work.next('B');
    expect(await out).toEqual(['A', 'B']);
  });

  test('copies a small chunk that has to wait, so that it does not keep a large buffer alive', () => {
    const { connection, peer } = opened();
    const large = new Uint8Array(65_536);
    large.set(a);
    peer.write([large.subarray(0, a.length)]);
    let kept: Uint8Array | undefined;
    connection.stream(7).subscribe((chunk) => (kept = chunk));
    expect(kept?.buffer.byteLength).toBe(1);
  });

  test('tells how far each direction is', () => {
    const { connection, peer } = opened();
    const seen: Ends[] = [];
    connection.stream(7).ends.subscribe((ends) => seen.push(ends));
    peer.write([close]);
    connection.stream(7).complete();
    expect(seen).toEqual([
      { receiving: 'open', sending: 'open' },
      { receiving: 'closed', sending: 'open' },
      { receiving: 'closed', sending: 'closed' },
    ]);
  });

  test('that is dropped costs nothing, and is forgotten only when the peer has closed it', async () => {
    const { connection, peer } = opened();
    const stream = connection.stream(7);
    stream.discard();
    stream.complete();
    peer.write([a]);
    expect(await firstValueFrom(connection.flow)).toMatchObject({ held: 0 });
    expect(connection.stream(7)).toBe(stream);
    peer.write([close]);
    expect(connection.stream(7)).not.toBe(stream);
  });

  test('sends what it is given, a close on complete, and nothing for no bytes', () => {
    const { connection, sent } = opened();
    const stream = connection.stream(7);
    stream.next(bytes('61'));
    stream.next(bytes(''));
    stream.complete();
    stream.complete();
    expect(sent).toEqual([
      [7, 'a'],
      [7, ''],
    ]);
    expect(() => {
      stream.next(bytes('61'));
    }).toThrow(expect.objectContaining({ code: 'ALREADY_CLOSED' }));
  });

  test('cuts what it sends at the frame size', () => {
    const { connection, sent } = opened({ frameBytes: 2 });
    connection.stream(7).next(bytes('6162636465'));
    expect(sent).toEqual([
      [7, 'ab'],
      [7, 'cd'],
      [7, 'e'],
    ]);
  });

  test('sends frames of one tick in one write', async () => {
    const [near, peer] = memoryChannels();
    const connection = new TcpmConnection(near, { side: 'initiator', user: undefined });
    const writes: number[] = [];
    peer.bytes.subscribe(({ length }) => writes.push(length));
    for (let count = 0; count < 10; count += 1) connection.stream(7).next(bytes('61'));
    await Promise.resolve();
    expect(writes).toEqual([90]);
  });

  test('that cannot be sent whole ends the connection instead of closing', async () => {
    const { connection, sent } = opened();
    connection.stream(7).next(bytes('61'));
    connection.stream(7).error(new Error('the disk is gone'));
    expect(sent).toEqual([[7, 'a']]);
    await expect(lastValueFrom(connection.ended)).rejects.toThrow(/the disk is gone/);
  });

  test('over the send budget ends the connection with SEND_BUDGET', async () => {
    const [near, peer] = memoryChannels();
    const connection = new TcpmConnection(
      near,
      { side: 'initiator', user: undefined },
      { gather: false, sendBudget: 1_000_000 },
    );
    peer.pause();
    peer.bytes.subscribe({ error: () => undefined });
    const stream = connection.stream(7);
    for (let count = 0; count < 40 && stream.isReady; count += 1)
      stream.next(new Uint8Array(10_000));
    expect(stream.isReady).toBe(false);
    for (let count = 0; count < 101; count += 1) stream.next(new Uint8Array(10_000));
    await expect(lastValueFrom(connection.ended)).rejects.toMatchObject({
      code: 'SEND_BUDGET',
      handle: 7,
    });
  });

  test('is ready again when the channel has drained', async () => {
    const [near, peer] = memoryChannels();
    const connection = new TcpmConnection(
      near,
      { side: 'initiator', user: undefined },
      { gather: false },
    );
    peer.pause();
    peer.bytes.subscribe();
    const ready: boolean[] = [];
    connection.stream(7).ready.subscribe((value) => ready.push(value));
    connection.stream(7).next(new Uint8Array(100_000));
    peer.resume();
    expect(ready).toEqual([true, false, true]);
  });

  test('answered from within its own reader keeps the order of the bytes', async () => {
    const { connection, peer } = opened();
    const seen: string[] = [];
    connection.stream(7).subscribe((chunk) => {
      // The peer answers at once, while this chunk is still in the reader's hands.
      if (textOf([chunk]) === 'a') peer.write([b, b]);
      seen.push(textOf([chunk]));
    });
    peer.write([a, bytes('00000001 00000007 63')]);
    await firstValueFrom(of(0).pipe(delay(0)));
    expect(seen).toEqual(['a', 'c', 'b', 'b']);
  });
});

describe('a connection', () => {
  test('pauses at its budget, names who holds what, and resumes at half of it', async () => {
    const { connection, peer } = opened({ receiveBudget: 2_000 });
    const paused: boolean[] = [];
    connection.flow.subscribe((flow) => paused.push(flow.paused));
    for (let count = 0; count < 6; count += 1) peer.write([a]);
    expect(await firstValueFrom(connection.flow)).toEqual({
      held: 4 * 513,
      limit: 2_000,
      paused: true,
      holders: [{ handle: 7, held: 4 * 513 }],
      stall: undefined,
    });
    connection.stream(7).subscribe();
    expect(paused).toEqual([false, true, false]);
    expect(connection.stream(7).received).toBe(6);
  });

  test('takes in all of a read, also if the budget is used up in the middle of it', () => {
    const { connection, peer } = opened({ receiveBudget: 1_000 });
    const stream = connection.stream(7);
    peer.write([Buffer.concat([a, a, a, a, bytes('80000000 00000000')])]);
    expect(stream.received).toBe(4);
    const seen: string[] = [];
    stream.subscribe({
      next: (chunk) => seen.push(textOf([chunk])),
      error: () => seen.push('error'),
    });
    expect(seen).toEqual(['a', 'a', 'a', 'a', 'error']);
  });

  test('that is dead from its first byte on is so without ado', async () => {
    const [near, peer] = memoryChannels();
    peer.write([bytes('80000000 00000001')]);
    const connection = new TcpmConnection(near, { side: 'initiator', user: undefined });
    await expect(lastValueFrom(connection.ended)).rejects.toMatchObject({
      code: 'FRAME_TOO_LARGE',
    });
  });

  test('refuses more handles than allowed', async () => {
    const { connection, peer } = opened({ maxHandles: 3 });
    for (const handle of ['01', '02', '03', '04'])
      peer.write([bytes(`00000001 000000${handle} 61`)]);
    await expect(lastValueFrom(connection.ended)).rejects.toMatchObject({
      code: 'TOO_MANY_HANDLES',
      handle: 4,
    });
  });

  test('drops what comes late for a protocol handle that is done', async () => {
    const { connection, peer } = opened();
    connection.openHandle().close();
    peer.write([bytes('00000002 00000001 0300')]);
    expect(await firstValueFrom(connection.flow)).toMatchObject({ held: 0 });
  });

  test.each([
    [{ receiveBudget: 0 }, /receiveBudget/],
    [{ frameBytes: 4_194_305 }, /frameBytes/],
    [{ maxHandles: 1.5 }, /maxHandles/],
  ])('refuses the options %j', (options, message) => {
    expect(() => opened(options)).toThrow(
      expect.objectContaining({
        code: 'BAD_ARGUMENT',
        message: expect.stringMatching(message) as string,
      }),
    );
  });

  test('refuses a handle that is none', () => {
    expect(() => opened().connection.stream(2 ** 32)).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    );
  });

  test('gives streams of a target numbers from 499999 downward', async () => {
    const [, far] = memoryChannels();
    const target = new TcpmConnection(far, { side: 'target', namesUser: false });
    const streams = await firstValueFrom(target.announce(3));
    expect(streams.map(({ handle }) => handle)).toEqual([499_999, 499_998, 499_997]);
    expect((await firstValueFrom(target.announce(1)))[0]?.handle).toBe(499_996);
  });
});

describe('a reader that takes time', () => {
  const LARGE = 20_000;
  const frames = (count: number): Uint8Array =>
    Buffer.concat(
      Array.from({ length: count }, () =>
        encodeFrame({ handle: 7, payload: new Uint8Array(LARGE) }),
      ),
    );

  test('gets what arrives meanwhile as one chunk', () => {
    const { connection, peer } = opened();
    const sizes: number[] = [];
    const work: Subject<never>[] = [];
    connection
      .stream(7)
      .paced((chunk) => {
        sizes.push(chunk.length);
        const one = new Subject<never>();
        work.push(one);
        return one;
      })
      .subscribe();
    const done = (): void => {
      work.shift()?.complete();
    };
    peer.write([frames(6)]);
    expect(sizes).toEqual([LARGE]);
    done();
    expect(sizes).toEqual([LARGE, 5 * LARGE]);
    done();
    peer.write([frames(6)]);
    expect(sizes).toEqual([LARGE, 5 * LARGE, LARGE]);
    done();
    expect(sizes).toEqual([LARGE, 5 * LARGE, LARGE, 5 * LARGE]);
  });
});
