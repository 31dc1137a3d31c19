import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { Observable, Subscription, firstValueFrom, of } from 'rxjs';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import type { Channel } from '../../src/transport/channel.js';
import type { ConnectionOptions } from '../../src/connection/options.js';
import type { Flow } from '../../src/connection/receive-budget.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import { bsdtcp, listenBsdtcp } from '../../src/drivers/bsdtcp.js';
import { connect } from '../../src/initiator/connect.js';
import { memoryChannels } from '../../src/drivers/memory.js';
import { request } from '../../src/exchange/request.js';
import { reply, type Service } from '../../src/exchange/service.js';
import { processService } from '../../src/target/process/process-service.js';
import { serve, serveConnection, type ServiceEvent } from '../../src/target/serve.js';
import { allowed } from '../../src/access/verdict.js';
import { packetBytes } from '../../src/testing/bytes.js';
import { FrameDecoder } from '../../src/wire/frame.js';
import { children, replyText, script } from '../target/scripts.js';

const MIB = 1_048_576;
const report: string[] = [];
afterAll(() => {
  console.log(report.join('\n'));
});
afterEach(() => {
  vi.useRealTimers();
});

/** Notes how long something took and by how much the process has grown. */
async function measured<T>(what: string, body: () => T | Promise<T>): Promise<T> {
  const [begin, before] = [performance.now(), process.memoryUsage().rss];
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20);
  try {
    return await body();
  } finally {
    clearInterval(watch);
    peak = Math.max(peak, process.memoryUsage().rss);
    report.push(
      `${what}: ${((performance.now() - begin) / 1_000).toFixed(2)} s, peak RSS +${((peak - before) / MIB).toFixed(1)} MiB`,
    );
  }
}

/** Headers of so many frames, one after the other; each payload has one byte or none. */
function frames(count: number, handle: (index: number) => number, payload: 0 | 1): Uint8Array {
  const bytes = new Uint8Array(count * (8 + payload));
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < count; index += 1) {
    view.setUint32(index * (8 + payload), payload);
    view.setUint32(index * (8 + payload) + 4, handle(index));
    if (payload === 1) bytes[index * 9 + 8] = 0x78;
  }
  return bytes;
}

/** The peer of a served target: what it writes, and the texts of the packets that come back. */
function served(services: Readonly<Record<string, Service>>, options: ConnectionOptions = {}) {
  const [near, far] = memoryChannels();
  const events: ServiceEvent[] = [];
  const decoder = new FrameDecoder();
  const answers = new Map<string, number>();
  near.bytes.subscribe((chunk) => {
    for (const { payload } of decoder.push(chunk)) {
      const text = Buffer.from(payload.subarray(1)).toString('latin1').split('\n', 1)[0] ?? '';
      answers.set(text, (answers.get(text) ?? 0) + 1);
    }
  });
  const target = new TcpmConnection(
    far,
    { side: 'target', namesUser: false },
    { gather: false, ...options },
  );
  serveConnection(target, services).subscribe((event) => events.push(event));
  return { near, target, events, answers };
}

const noop: Service = () => of(reply({ lines: ['OPTIONS features=ff;'] }));

function asksNoop(near: Channel, handle: number): void {
  near.write([packetBytes(handle, 'REQ', 'SERVICE noop\nOPTIONS ;\n'), packetBytes(handle, 'ACK')]);
}

describe('a flood', () => {
  test(
    'of a million empty frames costs nothing, and the target serves on',
    { timeout: 60_000 },
    async () => {
      await measured('a million empty frames', () => {
        const { near, answers, events } = served({ noop });
        const thousand = frames(1_000, (index) => index * 7_919, 0);
        for (let count = 0; count < 1_000; count += 1) near.write([thousand]);
        asksNoop(near, 5);
        expect(answers.get('OPTIONS features=ff;')).toBe(1);
        expect(events.map(({ kind }) => kind)).toEqual([
          'connected',
          'admitted',
          'replied',
          'ended',
        ]);
        near.close();
      });
    },
  );

  test(
    'of a million empty frames on one open stream costs nothing either',
    { timeout: 60_000 },
    async () => {
      await measured('a million closes of one stream', () => {
        const [near, far] = memoryChannels();
        const connection = new TcpmConnection(
          near,
          { side: 'initiator', user: undefined },
          { gather: false },
        );
        const stream = connection.stream(499_999);
        const thousand = frames(1_000, () => 499_999, 0);
        for (let count = 0; count < 1_000; count += 1) far.write([thousand]);
        expect(stream.held).toBe(0);
        connection.close();
      });
    },
  );

  test.each(['initiator', 'target'] as const)(
    'of 100,000 handles ends with TOO_MANY_HANDLES at an unused %s',
    async (side) => {
      await measured(`100,000 handles, ${side}`, async () => {
        const [near, far] = memoryChannels();
        const role =
          side === 'initiator'
            ? ({ side, user: undefined } as const)
            : ({ side, namesUser: false } as const);
        const connection = new TcpmConnection(near, role);
        let most = 0;
        connection.flow.subscribe(({ holders }) => (most = Math.max(most, holders.length)));
        let code: unknown;
        connection.ended.subscribe({ error: (error: unknown) => (code = error) });
        far.write([frames(1_024, (index) => 300_000 + index, 1)]);
        expect(code).toBeUndefined();
        far.write([frames(98_976, (index) => 400_000 + index, 1)]);
        await vi.waitFor(() => expect(code).toBeDefined(), { timeout: 4_000 });
        expect(code).toMatchObject({ code: 'TOO_MANY_HANDLES' });
        expect(most).toBeLessThanOrEqual(1_024);
      });
    },
  );

  test(
    'of 100,000 handles that ask for nothing leaves none behind at a target',
    { timeout: 60_000 },
    async () => {
      await measured('100,000 handles of a served target', async () => {
        const { near, events, answers } = served({ noop }, { gather: true });
        near.write([frames(100_000, (index) => index + 10, 1)]);
        asksNoop(near, 5);
        await vi.waitFor(() => expect(answers.get('OPTIONS features=ff;')).toBe(1), {
          timeout: 50_000,
        });
        expect(answers.get('OPTIONS features=ff;')).toBe(1);
        expect(
          events.filter((event) => event.kind === 'ended' && event.outcome === 'ignored'),
        ).toHaveLength(100_000);
        near.close();
      });
    },
  );

  test.each([1, 100, 1_000])(
    'of 4 MiB frames on %d unread handles pauses the channel at the budget and one frame',
    async (handles) => {
      await measured(`4 MiB frames on ${handles} handles`, () => {
        const [near, far] = memoryChannels();
        const connection = new TcpmConnection(
          near,
          { side: 'initiator', user: undefined },
          { gather: false },
        );
        let flow: Flow | undefined;
        connection.flow.subscribe((state) => (flow = state));
        const frame = new Uint8Array(8 + 4 * MIB);
        let sent = 0;
        for (; sent < 1_000 && flow?.paused === false; sent += 1) {
          new DataView(frame.buffer).setUint32(0, 4 * MIB);
          new DataView(frame.buffer).setUint32(4, 400_000 + (sent % handles));
          for (let at = 0; at < frame.length; at += 65_536)
            far.write([frame.slice(at, at + 65_536)]);
        }
        expect(sent).toBe(1);
        expect(flow).toMatchObject({ paused: true, limit: MIB });
        expect(flow?.held).toBeLessThanOrEqual(MIB + 4 * MIB + 512);
        report.push(
          `  held at most ${((flow?.held ?? 0) / MIB).toFixed(3)} MiB, paused after frame ${sent}`,
        );
        connection.stream(400_000).discard();
        expect(flow?.paused).toBe(false);
        connection.close();
      });
    },
  );

  test('of unread tiny frames is charged for what they cost', { timeout: 60_000 }, async () => {
    await measured('unread one-byte frames', () => {
      const [near, far] = memoryChannels();
      const connection = new TcpmConnection(
        near,
        { side: 'initiator', user: undefined },
        { gather: false },
      );
      const stream = connection.stream(499_999);
      // As a socket would bring them: 64 KiB a read. The budget may be overrun by one of them.
      const read = frames(7_281, () => 499_999, 1);
      for (let count = 0; count < 138; count += 1) far.write([read]);
      expect(stream.held).toBeGreaterThan(MIB);
      expect(stream.held).toBeLessThanOrEqual(MIB + 7_281 * 513);
      connection.close();
    });
  });

  test(
    'of 100,000 requests runs 16 services and refuses the others',
    { timeout: 60_000 },
    async () => {
      await measured('100,000 requests on one connection', async () => {
        let [running, most] = [0, 0];
        const waiting: Service = () =>
          new Observable((out) => {
            most = Math.max(most, (running += 1));
            out.add(() => (running -= 1));
          });
        const { near, answers, events, target } = served({ waiting }, { gather: true });
        let held = 0;
        for (let handle = 1; handle <= 100_000; handle += 1) {
          near.write([
            packetBytes(handle, 'REQ', `SERVICE waiting\nOPTIONS hostname=${handle};\n`),
          ]);
          if (handle % 1_000 === 0) held = Math.max(held, heldBy(target));
        }
        const refused = 'ERROR more than 16 requests at once on one connection';
        await vi.waitFor(() => expect(answers.get(refused)).toBe(99_984), { timeout: 50_000 });
        expect(most).toBe(16);
        expect(held).toBe(0);
        expect(events.filter(({ kind }) => kind === 'admitted')).toHaveLength(16);
        near.close();
        expect(running).toBe(0);
      });
    },
  );

  test.each(['before any request', 'behind a request'])(
    'of a byte a minute %s does not keep a target',
    (when) => {
      vi.useFakeTimers();
      const { near, events } = served({ noop });
      if (when === 'behind a request') asksNoop(near, 1);
      const header = Uint8Array.of(0, 0, 0, 9, 0, 0, 0, 7);
      for (let minute = 0; minute < 8 && events.at(-1)?.kind !== 'disconnected'; minute += 1) {
        near.write([header.subarray(minute, minute + 1)]);
        vi.advanceTimersByTime(minute === 0 ? 31_000 : 60_000);
        expect(events.at(-1)?.kind).toBe('disconnected');
      }
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  test(
    'of a reply without end is ended at 4 MiB, and its service with it',
    { timeout: 30_000 },
    async () => {
      const before = new Set(await children());
      const endless = processService(await script('exec yes'), { beforeTerm: 50, beforeKill: 50 });
      const text = await measured('a reply without end', () =>
        replyText(endless, { service: 'sendsize' }),
      );
      expect(text).toMatch(
        /^ERROR service sendsize: its reply is over the 4194302 bytes that fit one packet\n$/,
      );
      await vi.waitFor(
        async () => expect((await children()).filter((pid) => !before.has(pid))).toEqual([]),
        { timeout: 10_000 },
      );
    },
  );
});

function heldBy({ flow }: TcpmConnection): number {
  let held = 0;
  flow.subscribe((state) => (held = state.held)).unsubscribe();
  return held;
}

describe('silence', () => {
  test('on 500 connections does not keep an honest peer waiting', { timeout: 60_000 }, async () => {
    const { port, target } = await listening();
    const sockets: Socket[] = [];
    try {
      await measured('500 silent connections', async () => {
        await askedNoop(port);
        const alone = await askedNoop(port);
        while (sockets.length < 500) {
          const socket = connectSocket(port, '127.0.0.1').on('error', () => undefined);
          sockets.push(socket);
          await once(socket, 'connect');
        }
        const latencies: number[] = [];
        for (let count = 0; count < 20; count += 1) latencies.push(await askedNoop(port));
        const median = latencies.toSorted((a, b) => a - b)[10] ?? Infinity;
        report.push(
          `  a noop took ${alone.toFixed(1)} ms alone, and ${median.toFixed(1)} ms (median of 20) beside them`,
        );
        expect(sockets.every(({ destroyed }) => !destroyed)).toBe(true);
        expect(median).toBeLessThan(1_000);
      });
    } finally {
      for (const socket of sockets) socket.destroy();
      target.unsubscribe();
    }
  });
});

/** Milliseconds for a noop from its connection on. */
async function askedNoop(port: number): Promise<number> {
  const begin = performance.now();
  await firstValueFrom(
    connect(bsdtcp({ host: '127.0.0.1', port, user: 'backup', reservedPorts: false })).pipe(
      request('noop'),
    ),
  );
  return performance.now() - begin;
}

async function listening(): Promise<{ readonly port: number; readonly target: Subscription }> {
  let target = Subscription.EMPTY;
  const port = await new Promise<number>((resolve) => {
    target = serve(
      listenBsdtcp({ host: '127.0.0.1', port: 0, onListening: resolve }),
      { noop },
      { authorize: () => of(allowed) },
    ).subscribe();
  });
  return { port, target };
}
