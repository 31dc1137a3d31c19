import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { EMPTY, filter, lastValueFrom } from 'rxjs';
import { afterAll, describe, expect, test } from 'vitest';
import { bsdtcp } from '../../src/drivers/bsdtcp.js';
import type { Driver } from '../../src/drivers/driver.js';
import { ssl } from '../../src/drivers/ssl/ssl.js';
import { connect } from '../../src/initiator/connect.js';
import { dump } from '../../src/initiator/dump.js';
import { noop } from '../../src/initiator/noop.js';
import { receiveDump } from '../../src/initiator/receive-dump.js';
import { factor } from '../fuzz/runs.js';
import { openCertificates } from '../support/certificates.js';
import { latencies, type Latencies } from './load/honest.js';
import { Target, besides, told } from './load/program.js';

/**
 * Strangers connect again and again, from a process of their own, beside an honest initiator.
 *
 * The strangers need processor time themselves. So the honest figures are compared with those of
 * the same strangers at a bare listener in another process; those without strangers stand beside.
 */
const isWhole = factor > 1;
const perSecond = isWhole ? 1_000 : 200;
const dumpMilliseconds = isWhole ? 3_000 : 300;
/** What the strangers are there for alone, to see what they cost. */
const costMilliseconds = isWhole ? 3_000 : 500;
const noops = isWhole ? 200 : 10;
/** The limits of `npm test` are for a machine that does much else besides. */
const limits = isWhole
  ? { share: 0.8, p99: 50, cost: 0.4 }
  : { share: 0.05, p99: 5_000, cost: 1.5 };

const made = openCertificates();
const ca = made.authority('ca');
const sslDir = made.sslDir('target', ca, made.signed('me', ca));
const table: string[] = [];
afterAll(() => {
  made.close();
  console.log(
    [
      `strangers, ${perSecond} connects a second: dump in MB/s and noop in ms (p50 / p99 / max),`,
      'beside them; beside them at a bare listener; without them; processor time of the target',
      ...table,
    ].join('\n'),
  );
});

interface Figures {
  readonly megabytes: number;
  readonly noop: Latencies;
}

const kinds = ['silence', 'half a hello', 'half a header', 'refused requests'] as const;

describe.each(['bsdtcp', 'ssl'] as const)('over %s an honest peer is served beside', (auth) => {
  test.each(kinds)('%s', { timeout: 180_000 }, async (kind) => {
    const target = await Target.start(auth === 'ssl' ? { sslDir } : {});
    const bare = fork(besides('bare-listener.mjs'));
    try {
      const { port } = await told(bare, 'listening');
      const driver = honest(auth, target.port);
      await measure(driver, 200, 5);
      const alone = await measure(driver);
      const visit = (where: number) => beside(kind, auth, where, () => measure(driver));
      const { result: elsewhere } = await visit(Number(port));
      const { result: here } = await visit(target.port);
      const cost = await costOf(kind, auth, target);
      table.push(
        `${auth.padEnd(7)} ${kind.padEnd(17)} ${[here, elsewhere, alone].map(shown).join('; ')}; ${cost.toFixed(2)} ms each`,
      );
      // The first refused handshakes are whole ones; in the short form that is all of them.
      const isHandshake = !isWhole && auth === 'ssl' && kind === 'refused requests';
      expect(cost).toBeLessThan(isHandshake ? 4 : limits.cost);
      expect(here.megabytes / elsewhere.megabytes).toBeGreaterThan(limits.share);
      expect(here.noop.p99).toBeLessThan(limits.p99);
      expect(target.isRunning).toBe(true);
    } finally {
      bare.kill('SIGKILL');
      await target.stop();
    }
  });
});

function shown({ megabytes, noop: { p50, p99, max } }: Figures): string {
  return `${megabytes.toFixed(0).padStart(4)} MB/s ${[p50, p99, max].map((one) => one.toFixed(1)).join(' / ')}`;
}

function honest(auth: 'bsdtcp' | 'ssl', port: number): Driver {
  const place = { host: '127.0.0.1', port, user: 'backup' };
  return auth === 'ssl' ? ssl({ ...place, sslDir }) : bsdtcp({ ...place, reservedPorts: false });
}

/** Works while strangers are at a port; gives what comes of it, and how many have connected. */
async function beside<T>(
  kind: string,
  auth: string,
  port: number,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly made: number }> {
  // Over bsdtcp they share the honest peer's address; a refused handshake delays its address.
  const address = auth === 'ssl' ? '127.0.0.2' : '127.0.0.1';
  const strangers = fork(besides('stranger.mjs'), [
    kind,
    auth,
    String(port),
    address,
    String(perSecond),
  ]);
  await told(strangers, 'first');
  const began = performance.now();
  const result = await work();
  const over = told(strangers, 'made');
  const gone = once(strangers, 'exit');
  strangers.send('go');
  const made = Number((await over)['count']);
  const seconds = (performance.now() - began) / 1_000;
  expect(made / seconds).toBeGreaterThan(perSecond / (isWhole ? 2 : 50));
  await gone;
  return { result, made };
}

/** Milliseconds of the target's processor time for each stranger. */
async function costOf(kind: string, auth: string, target: Target): Promise<number> {
  const before = target.processorTime();
  const { made } = await beside(kind, auth, target.port, () => setTimeout(costMilliseconds));
  return (target.processorTime() - before) / made;
}

async function measure(
  driver: Driver,
  milliseconds = dumpMilliseconds,
  count = noops,
): Promise<Figures> {
  const taken: number[] = [];
  for (let asked = 0; asked < count; asked += 1) {
    const begin = performance.now();
    await lastValueFrom(connect(driver, { connectTries: 1 }).pipe(noop()));
    taken.push(performance.now() - begin);
  }
  const began = performance.now();
  let bytes = 0;
  while (performance.now() - began < milliseconds) bytes += await dumped(driver);
  const seconds = (performance.now() - began) / 1_000;
  return { megabytes: bytes / 1e6 / seconds, noop: latencies(taken) };
}

/** Bytes of a whole dump. */
async function dumped(driver: Driver): Promise<number> {
  const kilobytes = isWhole ? 262_144 : 16_384;
  const last = await lastValueFrom(
    connect(driver, { connectTries: 1 }).pipe(
      dump({ dle: { program: 'GNUTAR', disk: `/${kilobytes}` } }),
      receiveDump(() => ({ data: () => EMPTY }), { lease: true }),
      filter((event) => event.kind === 'done'),
    ),
  );
  return last.outcome.bytes;
}
