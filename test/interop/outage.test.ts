import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openCertificates, type Certificates } from '../support/certificates.js';
import { whyNoSandbox } from '../support/sandbox.js';
import { describeUnless } from '../support/skips.js';
import { client, openTwoHosts, type TwoHosts } from '../support/two-hosts.js';

const program = fileURLToPath(new URL('../support/quiet-program.mjs', import.meta.url));
const drivers = ['bsdtcp', 'bsdudp', 'bsd', 'ssl'];

/**
 * The kernel's times for keep-alive, scaled: Linux has 7200 s, 75 s and 9 probes. An outage of less
 * than PROBES * INTERVAL is survived, a dead peer is noticed after IDLE + PROBES * INTERVAL.
 */
const [IDLE, INTERVAL, PROBES] = [1, 2, 9];
/** Seconds; longer than the ten probes in ten seconds that a delay of our own would have. */
const OUTAGE = 13;

describeUnless(whyNoSandbox(), 'a network that goes away while streams are silent', () => {
  let hosts: TwoHosts;
  let certificates: Certificates;

  beforeAll(async () => {
    hosts = await openTwoHosts();
    certificates = openCertificates('/tmp');
    for (const host of [hosts.server, hosts.client]) {
      host.run('sysctl', '-qw', `net.ipv4.tcp_keepalive_time=${IDLE}`);
      host.run('sysctl', '-qw', `net.ipv4.tcp_keepalive_intvl=${INTERVAL}`);
      host.run('sysctl', '-qw', `net.ipv4.tcp_keepalive_probes=${PROBES}`);
    }
  });
  afterAll(async () => {
    await hosts.close();
    certificates.close();
  });

  test(
    'ends nothing for a while, and everything when it stays away',
    { timeout: 120_000 },
    async () => {
      const authority = certificates.authority('ca');
      const me = certificates.signed('me', authority, { commonName: client.name });
      const sslDir = certificates.sslDir('ssl', authority, me);
      const target = hosts.client.start(process.execPath, [program, 'target', sslDir]);
      const told = linesOf(target);
      await vi.waitFor(() => {
        expect(told.filter((line) => line.endsWith('listening'))).toHaveLength(drivers.length);
      }, PATIENCE);
      const initiator = hosts.server.start(process.execPath, [
        program,
        'initiator',
        client.address,
        sslDir,
      ]);
      const heard = linesOf(initiator);
      const both = drivers.flatMap((name) => [`${name} early open`, `${name} never open`]);
      await vi.waitFor(() => {
        expect([...heard].sort()).toEqual([...both].sort());
      }, PATIENCE);
      // Keep-alive is on after a second.
      await sleep(2_000);

      hosts.client.run('ip', 'link', 'set', 'rxb0', 'down');
      await sleep(OUTAGE * 1_000);
      expect(heard).toHaveLength(both.length);
      hosts.client.run('ip', 'link', 'set', 'rxb0', 'up');
      target.kill('SIGUSR1');
      const early = drivers.map((name) => `${name} early done`);
      await vi.waitFor(() => {
        for (const lines of [told, heard])
          expect(lines.filter((line) => line.endsWith('early done')).sort()).toEqual(early.sort());
      }, PATIENCE);

      hosts.client.run('ip', 'link', 'set', 'rxb0', 'down');
      const lost = drivers.map((name) => `${name} never CONNECTION_LOST`);
      await vi.waitFor(() => {
        for (const lines of [told, heard])
          expect(lines.filter((line) => line.includes('never CONNECTION')).sort()).toEqual(
            lost.sort(),
          );
      }, PATIENCE);
    },
  );
});

const PATIENCE = { timeout: 40_000, interval: 100 };

function linesOf(child: ChildProcess): string[] {
  const lines: string[] = [];
  for (const output of [child.stdout, child.stderr])
    if (output !== null) createInterface(output).on('line', (line) => lines.push(line));
  return lines;
}
