import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Subject } from 'rxjs';
import { describe, expect, it, test } from 'vitest';
import { checkSourcePort, sourcePorts } from '../../src/access/reserved-port.js';
import { tapTcp } from '../../src/tap/relay.js';
import type { TapEvent } from '../../src/tap/tap-event.js';
import { describeUnless, notRoot } from '../support/skips.js';
import { dial, listen, readAll, startTap, tapped } from './ends.js';

const isClosed = (events: readonly TapEvent[]): boolean =>
  events.some(({ kind }) => kind === 'closed');
/** Milliseconds without progress after which all buffers are full. */
const QUIET = 200;

const closing = (events: readonly TapEvent[]) => events.find((event) => event.kind === 'closed');

describe('a tap over TCP', () => {
  it('passes bytes on unchanged, both ways at once, however they are cut and however slow the readers are', async () => {
    const { initiator, target, until, events } = await tapped();
    const noise = noiseFrom(7);
    const [there, back] = await Promise.all([
      transfer(initiator, target, 6_000_000, noise),
      transfer(target, initiator, 9_000_000, noise),
    ]);
    expect(there.received).toBe(there.sent);
    expect(back.received).toBe(back.sent);
    await until(isClosed);
    for (const [sender, { sent }] of [
      ['initiator', there],
      ['target', back],
    ] as const) {
      const seen = createHash('sha256');
      for (const event of events)
        if (event.kind === 'bytes' && event.sender === sender) seen.update(event.chunk);
      expect(seen.digest('hex')).toBe(sent);
    }
    expect(closing(events)).toMatchObject({ how: 'ended', by: undefined });
  });

  it('passes the end of a direction on, and leaves the other one open', async () => {
    const { initiator, target, until, events } = await tapped();
    const asked = readAll(target);
    initiator.end('question');
    expect(await asked).toEqual({ text: 'question', how: 'end' });
    await until((all) => all.some(({ kind }) => kind === 'ended'));
    const answered = readAll(initiator);
    target.write('ans');
    target.end('wer');
    expect(await answered).toEqual({ text: 'answer', how: 'end' });
    await until(isClosed);
    expect(events.flatMap((event) => (event.kind === 'ended' ? [event.sender] : []))).toEqual([
      'initiator',
      'target',
    ]);
    expect(events.at(-1)).toMatchObject({ kind: 'closed', how: 'ended' });
  });

  it('passes on the end of the target, which may close first', async () => {
    const { initiator, target, until } = await tapped();
    const answered = readAll(initiator);
    target.end('220 and goodbye');
    expect(await answered).toEqual({ text: '220 and goodbye', how: 'end' });
    const asked = readAll(target);
    initiator.end('late');
    expect(await asked).toEqual({ text: 'late', how: 'end' });
    await until(isClosed);
  });

  test.each([
    ['initiator', 'target'],
    ['target', 'initiator'],
  ] as const)(
    'passes a reset of the %s on as a reset, after the bytes before it',
    async (breaker, other) => {
      const ends = await tapped();
      await greet(ends.initiator, ends.target);
      const read = readAll(ends[other]);
      ends[breaker].write('half', () => ends[breaker].resetAndDestroy());
      expect(await read).toEqual({ text: 'half', how: 'reset' });
      await ends.until(isClosed);
      expect(closing(ends.events)).toMatchObject({
        how: 'reset',
        by: breaker,
        reason: expect.stringContaining(`The ${breaker} broke the connection`) as string,
      });
    },
  );

  it('passes a reset on when nothing was sent', async () => {
    const { initiator, target } = await tapped();
    const read = readAll(initiator);
    target.resetAndDestroy();
    expect((await read).how).toBe('reset');
  });

  it('resets the initiator when the target refuses, and says why', async () => {
    const { port, server } = await listen();
    server.close();
    await once(server, 'close');
    const tap = await startTap(port);
    const initiator = await dial(tap.port);
    expect((await readAll(initiator)).how).toBe('reset');
    expect(tap.events.map(({ kind }) => kind)).toEqual(['opened', 'closed']);
    expect(closing(tap.events)).toMatchObject({
      how: 'unreached',
      reason: expect.stringContaining(`Cannot connect to 127.0.0.1 port ${port}`) as string,
    });
  });

  it('takes no more from the sender than the buffers of sockets hold while the reader stops', async () => {
    const { initiator, target, events } = await tapped();
    const chunk = Buffer.alloc(1_000_000, 'x');
    let accepted = 0;
    // The reader never reads, so the kernel and the tap hold everything.
    await new Promise<void>((full) => {
      let quiet = setTimeout(full, QUIET);
      const more = (): void => {
        initiator.write(chunk, (error) => {
          if (error !== null && error !== undefined) return;
          accepted += chunk.length;
          clearTimeout(quiet);
          quiet = setTimeout(full, QUIET);
          if (accepted < 64_000_000) more();
        });
      };
      more();
    });
    const seen = events.reduce(
      (sum, event) => sum + (event.kind === 'bytes' ? event.chunk.length : 0),
      0,
    );
    expect(accepted).toBeLessThan(32_000_000);
    expect(seen).toBeLessThan(32_000_000);
    // Nothing of it is lost.
    await new Promise<void>((resolve) => {
      let bytes = 0;
      target
        .on('data', (data: Buffer) => {
          bytes += data.length;
          if (bytes >= accepted) resolve();
        })
        .resume();
    });
  });

  it('passes a hundred connections on at once, each for itself', async () => {
    const { port, server } = await listen();
    server.on('connection', (socket: Socket) => {
      socket
        .on('data', (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()))
        .on('end', () => socket.end());
      socket.resume();
    });
    const tap = await startTap(port);
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, number) => {
        const socket = await dial(tap.port);
        const all = readAll(socket);
        socket.end(`number ${number}`);
        return (await all).text;
      }),
    );
    expect(answers).toEqual(Array.from({ length: 100 }, (_, number) => `NUMBER ${number}`));
    await tap.until((events) => events.filter(({ kind }) => kind === 'closed').length === 100);
    expect(new Set(tap.events.map(({ connection }) => connection)).size).toBe(100);
  });

  it('completes after the last of the connections that it was to take', async () => {
    const { port, next } = await listen();
    const tap = await startTap(port, { count: 1 });
    const accepted = next();
    const initiator = await dial(tap.port);
    const target = await accepted;
    initiator.end();
    target.resume().end();
    await tap.completed;
    expect(tap.events.at(-1)).toMatchObject({ kind: 'closed', how: 'ended' });
    await expect(dial(tap.port)).rejects.toThrow('ECONNREFUSED');
  });

  it('breaks what is open when it is to end, says so, and completes', async () => {
    const until = new Subject<void>();
    const { initiator, target, events, completed } = await tapped({ until });
    await greet(initiator, target);
    const reads = [readAll(initiator), readAll(target)];
    until.next();
    await completed;
    expect(await Promise.all(reads)).toEqual([
      { text: '', how: 'reset' },
      { text: '', how: 'reset' },
    ]);
    expect(events.at(-1)).toMatchObject({ kind: 'closed', how: 'stopped' });
  });

  // At the moment of an end, Node may fail to reset, and the socket spins.
  const moments = {
    'is told': (stop: () => void) => stop(),
    'is leaving': (stop: () => void) => process.nextTick(() => process.nextTick(stop)),
    'has left': (stop: () => void) => setImmediate(() => setImmediate(stop)),
  };
  test.each(Object.entries(moments))(
    'breaks a connection for both sides when it is to end as the end of one direction %s',
    async (_, at) => {
      const until = new Subject<void>();
      const { port, next } = await listen();
      const tap = await startTap(port, {
        until,
        onEvent: ({ kind }) => {
          if (kind === 'ended') at(() => until.next());
        },
      });
      const accepted = next();
      const initiator = await dial(tap.port);
      const target = await accepted;
      await greet(initiator, target);
      const read = readAll(initiator);
      initiator.end();
      await tap.completed;
      expect(tap.events.at(-1)).toMatchObject({ kind: 'closed', how: 'stopped' });
      await read;
      const broken = once(target, 'error');
      const more = (): void => {
        if (!target.destroyed) target.write('more', () => setImmediate(more));
      };
      more();
      expect(await broken).toEqual([
        expect.objectContaining({ code: expect.stringMatching(/EPIPE|ECONNRESET/) as string }),
      ]);
    },
  );

  it('breaks what is open and listens no more when it is unsubscribed', async () => {
    const { initiator, target, port, stop } = await tapped();
    await greet(initiator, target);
    const reads = [readAll(initiator), readAll(target)];
    stop();
    expect(await Promise.all(reads)).toEqual([
      { text: '', how: 'reset' },
      { text: '', how: 'reset' },
    ]);
    await expect(dial(port)).rejects.toThrow('ECONNREFUSED');
  });

  it('says when its address is taken', async () => {
    const { port } = await listen();
    const failed = new Promise((resolve) => {
      tapTcp({ listen: { port }, target: { host: '127.0.0.1', port: 1 } }).subscribe({
        error: resolve,
      });
    });
    await expect(failed).resolves.toMatchObject({
      code: 'CONNECT_FAILED',
      message: expect.stringContaining(`port ${port}`) as string,
    });
  });

  it('connects from an unreserved port for an initiator without a reserved one', async () => {
    const { target } = await tapped();
    expect(checkSourcePort('x', target.remotePort).kind).toBe('refused');
  });
});

describeUnless(notRoot(), 'a tap and reserved ports', () => {
  it('connects from a reserved port for an initiator with one', async () => {
    const { port, next } = await listen();
    const tap = await startTap(port);
    const accepted = next();
    await dialReserved(tap.port);
    const { remotePort } = await accepted;
    expect(checkSourcePort('x', remotePort).kind).toBe('allowed');
  });

  it('resets an initiator with a reserved port when none is free, and says why', async () => {
    const { port } = await listen();
    const tap = await startTap(port, { sourcePorts: () => [] });
    // The reset may come while it is still connecting.
    const how = await dialReserved(tap.port).then(
      readAll,
      (error: unknown) => (error as NodeJS.ErrnoException).code,
    );
    expect(['ECONNRESET', { text: '', how: 'reset' }]).toContainEqual(how);
    expect(closing(tap.events)).toMatchObject({
      how: 'unreached',
      reason: expect.stringContaining('No reserved source port is free') as string,
    });
  });
});

/** Sends a byte each way, so that the tap has both ends. */
async function greet(initiator: Socket, target: Socket): Promise<void> {
  initiator.write('?');
  await once(target.resume(), 'data');
  target.write('!');
  await once(initiator, 'data');
}

async function dialReserved(port: number): Promise<Socket> {
  for (const localPort of sourcePorts({ first: 700 })) {
    try {
      return await dial(port, { localPort });
    } catch (error) {
      if (!(
        error instanceof Error &&
        'code' in error &&
        (error.code === 'EADDRINUSE' || error.code === 'EADDRNOTAVAIL')
      ))
        throw error;
    }
  }
  throw new Error('no source port is free');
}

/** Sends noise in chunks of random sizes to a reader that pauses at random. */
async function transfer(
  from: Socket,
  to: Socket,
  length: number,
  noise: () => number,
): Promise<{ readonly sent: string; readonly received: string }> {
  const [sent, received] = [createHash('sha256'), createHash('sha256')];
  let tick = 0;
  to.on('data', (chunk: Buffer) => {
    received.update(chunk);
    tick += 1;
    if (tick % 16 !== 0) return;
    to.pause();
    setImmediate(() => to.resume());
  });
  to.resume();
  const ended = once(to, 'end');
  for (let left = length; left > 0;) {
    const piece = Buffer.alloc(
      Math.min(left, 1 + Math.floor(noise() * 100_000)),
      Math.floor(noise() * 256),
    );
    piece[0] = Math.floor(noise() * 256);
    sent.update(piece);
    left -= piece.length;
    if (!from.write(piece)) await once(from, 'drain');
  }
  from.end();
  await ended;
  return { sent: sent.digest('hex'), received: received.digest('hex') };
}

/** A repeatable sequence of numbers from 0 to 1. */
function noiseFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}
