import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, of, type Observable } from 'rxjs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { authorize } from '../../src/access/authorize.js';
import { allowed } from '../../src/access/verdict.js';
import type { Connection } from '../../src/connection/connection.js';
import { bsdtcp, listenBsdtcp } from '../../src/drivers/bsdtcp.js';
import { bsdudp, listenBsdudp } from '../../src/drivers/datagram/bsdudp.js';
import { local } from '../../src/drivers/local.js';
import { ssh } from '../../src/drivers/ssh.js';
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
import { factor } from '../fuzz/runs.js';
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

/** Stands in for an amandad, and for ssh to one: its input and output go to a target's port. */
const relay = join(folder, 'relay');

const ports = { bsdtcp: 0, ssl: 0, bsdudp: 0, piped: 0 };
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
    const listening = (name: keyof typeof ports) => (port: number) => {
      ports[name] = port;
      if (Object.values(ports).every((one) => one > 0)) resolve();
    };
    const options = {
      authorize: authorize({ file: rules, reservedPort: false }),
      replyAckTimeout: 300,
    };
    for (const listener of [
      listenBsdtcp({ host, port: 0, onListening: listening('bsdtcp') }),
      listenSsl({ host, port: 0, sslDir, onListening: listening('ssl') }),
      listenBsdudp({ host, port: 0, streamWait: 500, onListening: listening('bsdudp') }),
    ])
      targets.push(serve(listener, services, options).subscribe((event) => ends.push(event)));
    targets.push(
      serve(
        listenBsdtcp({ host, port: 0, onListening: listening('piped') }),
        { noop: noopService() },
        { authorize: () => of(allowed) },
      ).subscribe(),
    );
  });
  writeFileSync(
    relay,
    `#!/usr/bin/perl
use IO::Socket::INET;
my $to = IO::Socket::INET->new('${host}:${ports.piped}') or exit 1;
my $all = '';
vec($all, $_, 1) = 1 for 0, fileno $to;
while (1) {
  select(my $ready = $all, undef, undef, undef);
  if (vec($ready, 0, 1)) { sysread(STDIN, $_, 65536) or exit; syswrite($to, $_) or exit }
  if (vec($ready, fileno $to, 1)) { sysread($to, $_, 65536) or exit; syswrite(STDOUT, $_) or exit }
}
`,
  );
  chmodSync(relay, 0o755);
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

const overUdp = () => connect(bsdudp({ host, port: ports.bsdudp, reservedPorts: false }), once);
/** What is lost is sent again soon. */
const soon = { ackTimeout: 200, replyTimeout: 1_000 } as const;
const dumped = (connections: Observable<Connection>) =>
  connections.pipe(
    sendbackup({ dle, ...soon }),
    receiveDump(() => ({ data: () => of(undefined) })),
  );

const scenarios: Readonly<Record<string, () => Observable<unknown>>> = {
  'a noop over bsdtcp': () => open().pipe(noop()),
  'a noop over ssl': () => connect(ssl({ host, port: ports.ssl, sslDir }), once).pipe(noop()),
  'a noop over local': () => connect(local({ amandadPath: relay }), once).pipe(noop()),
  'a noop over ssh': () => connect(ssh({ host: 'db1', command: relay }), once).pipe(noop()),
  'a noop over bsdudp': () => overUdp().pipe(noop(soon)),
  'a dump over bsdudp': () => dumped(overUdp()),
  'a started service': () => open().pipe(request('started')),
  'a dump': () => dumped(open()),
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

/** Processes that this one has started and that have not ended. */
const children = (): string =>
  readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim();
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
    const places = [...calls].flatMap(([call, count]) =>
      Array.from({ length: count }, (_, at) => ({ call, n: at + 1 })),
    );
    // Every code in `npm run faults`; in `npm test` they take turns.
    const faults = places.flatMap((place, at) =>
      codes
        .filter((_, n) => factor > 1 || n === at % codes.length)
        .map((code): Fault => ({ ...place, code })),
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
        expect(children()).toBe('');
        expect(readdirSync(place)).toEqual([]);
        expect(readdirSync(lists).filter((file) => file.endsWith('.new'))).toEqual([]);
      },
      { timeout: 10_000 },
    );
  },
);
