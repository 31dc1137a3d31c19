import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  diagnose,
  expectNamedFirst,
  findingsOf,
  heal,
  printFaults,
  startAmandad,
  startServer,
  whenSaid,
  type FaultCase,
} from '../../support/doctor-lab.js';
import { rxAmandad } from '../../support/program.js';
import { describeReal } from '../../support/real-amanda.js';
import { client, goodHosts, openTwoHosts, server, type TwoHosts } from '../../support/two-hosts.js';

/** Has the TCP wrapper of the target refuse everything. */
function wrapAll({ client: theirs }: TwoHosts): Promise<void> {
  const file = join(theirs.sandbox.directory, 'hosts.deny');
  writeFileSync(file, 'amandad: ALL\n');
  theirs.run('mount', '--bind', file, '/etc/hosts.deny');
  return startAmandad(theirs);
}

function unwrap({ client: theirs }: TwoHosts): void {
  theirs.run('umount', '/etc/hosts.deny');
}

const faults: readonly FaultCase[] = [
  {
    fault: 'nothing listens',
    inject: () => undefined,
    kind: 'tcp-refused',
    says: /nothing listens/,
    exitCode: 3,
  },
  {
    fault: 'packets are dropped',
    inject: ({ server: ours }) =>
      ours.run('ip', 'neigh', 'replace', '10.77.0.9', 'lladdr', '02:00:00:00:00:09', 'dev', 'rxa0'),
    args: ['10.77.0.9'],
    kind: 'tcp-dropped',
    within: 12,
    exitCode: 3,
  },
  {
    fault: 'the IPv6 address of the name does not answer',
    inject: async ({ server: ours, client: theirs }) => {
      ours.run('ip', 'addr', 'add', 'fd77::1/64', 'dev', 'rxa0', 'nodad');
      ours.run('ip', 'neigh', 'replace', 'fd77::9', 'lladdr', '02:00:00:00:00:09', 'dev', 'rxa0');
      ours.hosts([`fd77::9 ${client.name}`, ...goodHosts]);
      await startAmandad(theirs);
    },
    undo: ({ server: ours }) => ours.run('ip', 'addr', 'del', 'fd77::1/64', 'dev', 'rxa0'),
    kind: 'address-dropped',
    says: /fd77::9 port 10080, one of the addresses of client\.lab/,
    within: 12,
    exitCode: 3,
  },
  {
    fault: 'the host is down',
    inject: () => undefined,
    args: ['10.77.0.8'],
    kind: 'tcp-unreachable',
    exitCode: 3,
  },
  {
    fault: 'there is no route',
    inject: () => undefined,
    args: ['10.99.0.1'],
    kind: 'tcp-unreachable',
    exitCode: 3,
  },
  {
    fault: 'the network prohibits the way',
    inject: ({ server: ours }) => ours.run('ip', 'route', 'replace', 'prohibit', '10.98.0.0/24'),
    args: ['10.98.0.1'],
    kind: 'tcp-unreachable',
    exitCode: 3,
  },
  {
    fault: 'xinetd refuses by only_from',
    inject: ({ client: theirs }) => startAmandad(theirs, { only_from: '10.99.0.1' }),
    kind: 'tcp-closed',
    says: /only_from/,
    exitCode: 3,
  },
  {
    fault: 'a TCP wrapper refuses',
    inject: wrapAll,
    undo: unwrap,
    kind: 'tcp-closed',
    says: /TCP wrapper/,
    exitCode: 3,
  },
  {
    fault: 'a TCP wrapper refuses, seen from the target',
    inject: wrapAll,
    undo: unwrap,
    args: ['--local'],
    on: 'client',
    kind: 'tcp-wrapper',
    says: /Add the line "amandad: server\.lab" to \/etc\/hosts\.allow/,
    exitCode: 1,
  },
  {
    fault: 'xinetd names a program that cannot start',
    inject: ({ client: theirs }) => startAmandad(theirs, { server: '/bin/true' }),
    kind: 'tcp-closed',
    says: /server/,
    exitCode: 3,
  },
  {
    fault: 'the connection is reset',
    inject: ({ client: theirs }) => startServer(theirs, 'socket.resetAndDestroy();'),
    kind: 'tcp-reset',
    exitCode: 3,
  },
  {
    fault: 'an SSH server listens',
    inject: ({ client: theirs }) =>
      startServer(theirs, `socket.write('SSH-2.0-OpenSSH_9.2p1\\r\\n');`),
    kind: 'other-service',
    says: /SSH server/,
    exitCode: 3,
  },
  {
    fault: 'an SMTP server listens',
    inject: ({ client: theirs }) =>
      startServer(theirs, `socket.write('220 mail ESMTP Postfix\\r\\n');`),
    kind: 'other-service',
    says: /SMTP server/,
    exitCode: 3,
  },
  {
    fault: 'an HTTP server listens',
    inject: ({ client: theirs }) =>
      startServer(
        theirs,
        `socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\\r\\n\\r\\n'));`,
      ),
    kind: 'other-service',
    says: /HTTP server/,
    exitCode: 3,
  },
  {
    fault: 'the peer is silent',
    inject: ({ client: theirs }) => startServer(theirs, 'socket.resume();'),
    kind: 'silent-peer',
    exitCode: 3,
  },
  {
    fault: 'amandad has auth local',
    inject: ({ client: theirs }) => startAmandad(theirs, { server_args: '-auth=local amdump' }),
    kind: 'other-auth',
    exitCode: 1,
  },
  {
    fault: 'noop is not enabled',
    inject: ({ client: theirs }) =>
      startAmandad(theirs, { server_args: '-auth=bsdtcp amindexd amidxtaped' }),
    kind: 'service-not-enabled',
    says: /amdump/,
    exitCode: 1,
  },
  {
    fault: 'sendbackup is not enabled',
    inject: ({ client: theirs }) =>
      startAmandad(theirs, { server_args: '-auth=bsdtcp noop selfcheck sendsize' }),
    kind: 'service-not-enabled',
    says: /sendbackup/,
    exitCode: 1,
  },
  {
    fault: 'an argument of amandad is no service',
    inject: ({ client: theirs }) => startAmandad(theirs, { server_args: '-auth=bsdtcp bogus' }),
    kind: 'service-not-enabled',
    says: /remove bogus/,
    exitCode: 1,
  },
  {
    fault: '.amandahosts has no line for us',
    inject: ({ client: theirs }) => {
      theirs.sandbox.allow(['other.lab root amdump']);
      return startAmandad(theirs);
    },
    kind: 'amandahosts-line',
    says: /Add this line to \/var\/backups\/\.amandahosts on client\.lab: server\.lab root amdump/,
    exitCode: 1,
  },
];

describeReal('rx-amanda doctor over bsdtcp', ['amandad', 'xinetd'], () => {
  let lab: TwoHosts;
  beforeAll(async () => {
    lab = await openTwoHosts();
  });
  beforeEach(() => heal(lab));
  afterEach(() => heal(lab));
  afterAll(async () => {
    printFaults();
    await lab.close();
  });

  it('finds nothing to fix on a healthy target of xinetd', async () => {
    await startAmandad(lab.client);
    const found = await diagnose(lab, [client.name]);
    expect(findingsOf(found)).toEqual([]);
    expect(found.exitCode).toBe(0);
  });

  it('finds nothing to fix over IPv6', async () => {
    const all = [lab.server, lab.client];
    const addresses = ['fd77::1', 'fd77::2'];
    for (const [at, device] of ['rxa0', 'rxb0'].entries()) {
      all[at]?.run('ip', 'addr', 'add', `${addresses[at]}/64`, 'dev', device, 'nodad');
      all[at]?.hosts(['::1 localhost', `fd77::1 ${server.name}`, `fd77::2 ${client.name}`]);
    }
    const words = ['-auth=bsdtcp', '-no-exit', '-tcp=10080', '-listen=::', 'amdump'];
    await whenSaid(lab.client.start(process.execPath, [rxAmandad, ...words]), /listening on/);
    const found = await diagnose(lab, [client.name]);
    const local = await diagnose(lab, ['--local'], { on: 'client' });
    for (const [at, device] of ['rxa0', 'rxb0'].entries())
      all[at]?.run('ip', 'addr', 'del', `${addresses[at]}/64`, 'dev', device);
    expect(findingsOf(found)).toEqual([]);
    expect(found.exitCode).toBe(0);
    expect(findingsOf(local)).toEqual([]);
  });

  it('finds nothing to fix on the target itself', async () => {
    await startAmandad(lab.client);
    const found = await diagnose(lab, ['--local'], { on: 'client' });
    expect(findingsOf(found)).toEqual([]);
    expect(found.exitCode).toBe(0);
  });

  it.each(faults)('names first: $fault', (fault) => expectNamedFirst(lab, fault));
});
