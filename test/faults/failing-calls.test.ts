import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, of, type Observable } from 'rxjs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { authorize } from '../../src/access/authorize.js';
import { bsdtcp, listenBsdtcp } from '../../src/drivers/bsdtcp.js';
import { listenSsl, ssl } from '../../src/drivers/ssl/ssl.js';
import { connect } from '../../src/initiator/connect.js';
import { noop } from '../../src/initiator/noop.js';
import { request } from '../../src/exchange/request.js';
import { receiveDump } from '../../src/initiator/receive-dump.js';
import { sendbackup } from '../../src/initiator/sendbackup.js';
import { processService } from '../../src/target/process/process-service.js';
import { serve, type ServiceEvent } from '../../src/target/serve.js';
import { noopService } from '../../src/target/services/noop-service.js';
import { sendbackupService } from '../../src/target/services/sendbackup-service.js';
import { isAmandaError } from '../../src/wire/errors.js';
import { openCertificates } from '../support/certificates.js';
import { arm, codes, install, type Fault } from './failing-calls.js';

const host = '127.0.0.1';
const folder = mkdtempSync(join(tmpdir(), 'rx-amanda-calls-'));
const place = join(folder, 'tmp');
const tree = join(folder, 'tree');
const lists = join(folder, 'lists');
const certificates = openCertificates();
const ca = certificates.authority('ca');
const sslDir = certificates.sslDir('me', ca, certificates.signed('me', ca));
for (const one of [place, tree, lists]) mkdirSync(one);
writeFileSync(join(tree, 'file'), 'x'.repeat(100_000));
writeFileSync(join(folder, 'exclude'), '*.o\n');
const rules = join(folder, 'amandahosts');
writeFileSync(rules, `localhost ${userInfo().username} noop started sendbackup\n`);
chmodSync(rules, 0o600);
const executable = join(folder, 'service');
writeFileSync(executable, '#!/bin/sh\ncat > /dev/null\necho "OPTIONS features=ff;"\n');
chmodSync(executable, 0o755);

const ports = { bsdtcp: 0, ssl: 0 };
const targets: { unsubscribe(): void }[] = [];
const ends: ServiceEvent[] = [];

beforeAll(async () => {
  vi.stubEnv('TMPDIR', place);
  await new Promise<void>((resolve) => {
    const services = {
      noop: noopService(),
      started: processService(executable),
      sendbackup: sendbackupService({ roots: [tree], listDir: lists }),
    };
    const listening = (name: 'bsdtcp' | 'ssl') => (port: number) => {
      ports[name] = port;
      if (ports.bsdtcp > 0 && ports.ssl > 0) resolve();
    };
    const options = { authorize: authorize({ file: rules, reservedPort: false }) };
    for (const listener of [
      listenBsdtcp({ host, port: 0, onListening: listening('bsdtcp') }),
      listenSsl({ host, port: 0, sslDir, onListening: listening('ssl') }),
    ])
      targets.push(serve(listener, services, options).subscribe((event) => ends.push(event)));
  });
  install();
});
afterAll(() => {
  arm(undefined);
  for (const target of targets) target.unsubscribe();
  vi.unstubAllEnvs();
  certificates.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = () => connect(bsdtcp({ host, port: ports.bsdtcp, reservedPorts: false }), once);
const once = { connectTries: 1 } as const;
const dle = {
  program: 'GNUTAR',
  disk: tree,
  index: true,
  record: true,
  levels: [{ level: 0 }],
  exclude: { files: [], lists: [join(tree, 'none')], optional: true },
} as const;

const scenarios: Readonly<Record<string, () => Observable<unknown>>> = {
  'a noop over bsdtcp': () => open().pipe(noop()),
  'a noop over ssl': () => connect(ssl({ host, port: ports.ssl, sslDir }), once).pipe(noop()),
  'a started service': () => open().pipe(request('started')),
  'a dump': () =>
    open().pipe(
      sendbackup({ dle }),
      receiveDump(() => ({ data: () => of(undefined) })),
    ),
};

/** What came of a scenario: `ok`, or the code of its error. */
async function outcome(scenario: () => Observable<unknown>): Promise<string> {
  try {
    await lastValueFrom(scenario());
    return 'ok';
  } catch (error) {
    return isAmandaError(error) ? error.code : `not ours: ${String(error)}`;
  }
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;

it.each(Object.keys(scenarios))(
  '%s survives each call of the system that fails',
  { timeout: 300_000 },
  async (name) => {
    const scenario = scenarios[name] as () => Observable<unknown>;
    // The first run loads what is loaded on demand.
    expect(await outcome(scenario)).toBe('ok');
    arm(undefined);
    expect(await outcome(scenario)).toBe('ok');
    const calls = arm(undefined);
    const faults = [...calls].flatMap(([call, count]) =>
      Array.from({ length: count }, (_, at) => at + 1).flatMap((n) =>
        codes.map((code): Fault => ({
          call,
          n,
          code,
        })),
      ),
    );
    const before = descriptors();
    const outcomes = new Map<string, number>();
    for (const fault of faults) {
      arm(fault);
      const came = await outcome(scenario);
      arm(undefined);
      outcomes.set(came, (outcomes.get(came) ?? 0) + 1);
      expect(came, JSON.stringify(fault)).not.toMatch(/^not ours/);
      expect(await outcome(() => open().pipe(noop())), JSON.stringify(fault)).toBe('ok');
    }
    console.log(
      `${name}: ${faults.length} faults in ${calls.size} calls: ${[...outcomes].map(([came, count]) => `${came} ${count}`).join(', ')}`,
    );
    expect(faults.length).toBeGreaterThan(5);
    await vi.waitFor(
      () => {
        expect(descriptors()).toBeLessThanOrEqual(before);
        expect(readdirSync(place)).toEqual([]);
        expect(readdirSync(lists).filter((file) => file.endsWith('.new'))).toEqual([]);
      },
      { timeout: 10_000 },
    );
  },
);
