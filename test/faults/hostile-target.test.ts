import { NEVER, Observable, Subscription, of } from 'rxjs';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Connection } from '../../src/connection/connection.js';
import type { Flow } from '../../src/connection/receive-budget.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import type { Channel } from '../../src/transport/channel.js';
import { memoryChannels } from '../../src/drivers/memory.js';
import { request } from '../../src/exchange/request.js';
import { receiveDump } from '../../src/initiator/receive-dump.js';
import { selfcheck } from '../../src/initiator/selfcheck.js';
import { sendbackup } from '../../src/initiator/sendbackup.js';
import { sendsize } from '../../src/initiator/sendsize.js';
import { packetBytes, withHeader } from '../../src/testing/bytes.js';
import type { Dle } from '../../src/wire/dle/dle.js';
import { isAmandaError } from '../../src/wire/errors.js';
import { memoryInUse } from '../support/memory-in-use.js';

const MIB = 1_048_576;
const dle: Dle = { program: 'GNUTAR', disk: '/home', index: true, levels: [{ level: 0 }] };
const report: string[] = [];
afterAll(() => {
  console.log(report.join('\n'));
});

/** What an initiator has asked of a target that does as it likes: what came of it. */
interface Asked {
  readonly target: Channel;
  readonly connection: TcpmConnection;
  readonly flow: () => Flow | undefined;
  /** `open`, `complete` or the code of its error. */
  readonly end: () => string;
  readonly emitted: () => number;
}

let subscriptions = new Subscription();

function asks<T>(ask: (connection: Observable<Connection>) => Observable<T>): Asked {
  const [near, target] = memoryChannels();
  target.bytes.subscribe();
  const connection = new TcpmConnection(
    near,
    { side: 'initiator', user: undefined },
    { gather: false },
  );
  let [flow, end, emitted]: [Flow | undefined, string, number] = [undefined, 'open', 0];
  connection.flow.subscribe((state) => (flow = state));
  subscriptions.add(
    ask(of<Connection>(connection)).subscribe({
      next: () => (emitted += 1),
      error: (error: unknown) =>
        (end = isAmandaError(error) ? error.code : `not ours: ${String(error)}`),
      complete: () => (end = 'complete'),
    }),
  );
  target.write([packetBytes(1, 'ACK')]);
  return { target, connection, flow: () => flow, end: () => end, emitted: () => emitted };
}

/** The memory that is in use more than before, and the time that it took. */
function measured(what: string, body: () => void): number {
  const before = memoryInUse();
  const began = performance.now();
  body();
  const seconds = (performance.now() - began) / 1_000;
  const grown = (memoryInUse() - before) / MIB;
  report.push(`${what}: ${seconds.toFixed(2)} s, ${grown.toFixed(1)} MiB more in use`);
  return grown;
}

const announcing = (streams: readonly string[]): Uint8Array =>
  packetBytes(
    1,
    'REP',
    `CONNECT ${streams.map((name, at) => `${name} ${499_999 - at}`).join(' ')}\nOPTIONS features=ff;\n`,
  );

const dumping = (sink: () => Observable<unknown> = () => of(undefined)): Asked =>
  asks((connection) =>
    connection.pipe(
      sendbackup({ dle }),
      receiveDump(() => ({ data: sink, index: sink }), {
        dataTimeout: 60_000,
        progressInterval: 10_000_000,
      }),
    ),
  );

describe('an initiator whose target', { timeout: 60_000 }, () => {
  beforeEach(() => {
    subscriptions = new Subscription();
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
    });
  });
  afterEach(() => {
    subscriptions.unsubscribe();
    vi.useRealTimers();
  });

  test('answers 100,000 times in part keeps none of them', () => {
    const asked = asks((connection) => connection.pipe(request('sendsize')));
    const partial = Buffer.concat(
      Array.from({ length: 1_000 }, (_, at) =>
        packetBytes(1, 'PREP', `OPTIONS features=ff;\n/home 0 SIZE ${at}\n`),
      ),
    );
    const grown = measured('100,000 PREP', () => {
      for (let count = 0; count < 100; count += 1) asked.target.write([partial]);
    });
    expect([asked.emitted(), asked.end(), asked.flow()?.held]).toEqual([100_000, 'open', 0]);
    expect(grown).toBeLessThan(4);
    asked.connection.close();
  });

  test.each(['REP', 'NAK', 'PREP', 'ACK'] as const)(
    'sends 100,000 %s more on a request that is over loses them',
    (type) => {
      const asked = asks((connection) => connection.pipe(request('noop')));
      asked.target.write([packetBytes(1, 'REP', 'OPTIONS features=ff;\n')]);
      const more = Buffer.concat(
        Array.from({ length: 1_000 }, () => packetBytes(1, type, 'ERROR x\n')),
      );
      const grown = measured(`100,000 ${type} after the end`, () => {
        for (let count = 0; count < 100; count += 1) asked.target.write([more]);
      });
      expect([asked.emitted(), asked.end(), asked.flow()?.held]).toEqual([1, 'complete', 0]);
      expect(grown).toBeLessThan(4);
      asked.connection.close();
    },
  );

  test('announces 64 streams and fills all of them is stopped at the budget and one frame', () => {
    const asked = asks((connection) => connection.pipe(request('sendbackup')));
    asked.target.write([announcing(Array.from({ length: 64 }, (_, at) => `S${at}`))]);
    expect([asked.emitted(), asked.end()]).toEqual([1, 'open']);
    let sent = 0;
    for (; sent < 64 && asked.flow()?.paused === false; sent += 1)
      asked.target.write([withHeader(499_999 - sent, new Uint8Array(4 * MIB))]);
    expect(sent).toBe(1);
    expect(asked.flow()?.held).toBeLessThanOrEqual(5 * MIB + 512);
    asked.connection.close();
  });

  test('announces 65 streams has sent no reply', () => {
    const asked = asks((connection) => connection.pipe(request('sendbackup')));
    asked.target.write([announcing(Array.from({ length: 65 }, (_, at) => `S${at}`))]);
    expect(asked.end()).toBe('BAD_REPLY');
    asked.connection.close();
  });

  test('says on MESG one line without end has failed at 64 KiB of it', () => {
    const asked = dumping();
    asked.target.write([announcing(['DATA', 'MESG', 'INDEX'])]);
    let sent = 0;
    for (; sent < 1_000 && asked.end() === 'open'; sent += 1)
      asked.target.write([withHeader(499_998, new Uint8Array(32_768).fill(0x61))]);
    expect([asked.end(), sent]).toEqual(['TRUNCATED', 3]);
    asked.connection.close();
  });

  test.each(['? odd\n', 'sendbackup: info A=b\n', '| usual\n', '\n', 'x\n'])(
    'says %j 200,000 times on MESG keeps a few',
    (line) => {
      const asked = dumping();
      asked.target.write([announcing(['DATA', 'MESG', 'INDEX'])]);
      const thousand = withHeader(499_998, Buffer.from(line.repeat(1_000)));
      const grown = measured(`200,000 lines ${JSON.stringify(line)} on MESG`, () => {
        for (let count = 0; count < 200; count += 1) asked.target.write([thousand]);
      });
      expect(asked.end()).toBe('open');
      expect(grown).toBeLessThan(4);
      asked.connection.close();
    },
  );

  test('sends an index of one line without end keeps none of it', () => {
    const asked = dumping();
    asked.target.write([
      announcing(['DATA', 'MESG', 'INDEX']),
      withHeader(499_998, Buffer.from('sendbackup: info end\n')),
    ]);
    const frame = withHeader(499_997, new Uint8Array(MIB).fill(0x2f));
    const grown = measured('an index of one line of 256 MiB', () => {
      for (let count = 0; count < 256; count += 1) asked.target.write([frame]);
    });
    expect([asked.end(), asked.flow()?.held]).toEqual(['open', 0]);
    expect(grown).toBeLessThan(4);
    asked.connection.close();
  });

  test('sends an unread index is stopped at the budget', () => {
    const asked = dumping(() => NEVER);
    asked.target.write([
      announcing(['DATA', 'MESG', 'INDEX']),
      withHeader(499_998, Buffer.from('sendbackup: info end\n')),
    ]);
    let sent = 0;
    for (; sent < 1_000 && asked.flow()?.paused === false; sent += 1)
      asked.target.write([withHeader(499_997, new Uint8Array(32_768))]);
    expect(sent).toBeLessThan(40);
    asked.connection.close();
  });

  test.each([
    ['sendsize', sendsize({ dles: [dle] }), '/home 0 SIZE 100\n'],
    ['selfcheck', selfcheck({ dles: [dle] }), '\n'],
  ] as const)(
    'answers %s with as many lines as a packet holds is read to its end',
    (name, call, line) => {
      const asked = asks<unknown>((connection) =>
        connection.pipe(call as (from: Observable<Connection>) => Observable<unknown>),
      );
      const body = `OPTIONS features=ff;\n${line.repeat(Math.floor((4 * MIB - 100) / line.length))}`;
      const grown = measured(
        `${name} with ${Math.round(body.length / line.length)} lines ${JSON.stringify(line)}`,
        () => {
          asked.target.write([packetBytes(1, 'REP', body)]);
        },
      );
      expect(asked.end()).toMatch(/^(?:complete|BAD_REPLY)$/);
      expect(grown).toBeLessThan(32);
      asked.connection.close();
    },
  );

  test.each(['a closed', 'an unknown'])(
    'closes %s stream a million times costs nothing',
    (which) => {
      const asked = asks((connection) => connection.pipe(request('sendbackup')));
      asked.target.write([announcing(['A']), withHeader(499_999, new Uint8Array(0))]);
      const closes = (from: number): Uint8Array =>
        Buffer.concat(
          Array.from({ length: 1_000 }, (_, at) =>
            withHeader(which === 'a closed' ? 499_999 : 1_000_000 + from + at, new Uint8Array(0)),
          ),
        );
      const grown = measured(`a million closes of ${which} stream`, () => {
        for (let from = 0; from < 1_000_000; from += 1_000) asked.target.write([closes(from)]);
      });
      expect(asked.end()).not.toMatch(/not ours/);
      expect(grown).toBeLessThan(4);
      asked.connection.close();
    },
  );
});
