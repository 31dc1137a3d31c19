import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  diagnose,
  expectNamedFirst,
  findingsOf,
  heal,
  printFaults,
  startAmandad,
  whenSaid,
  type FaultCase,
} from '../../support/doctor-lab.js';
import { rxAmandad } from '../../support/program.js';
import { describeReal } from '../../support/real-amanda.js';
import { client, goodHosts, openTwoHosts, server, type TwoHosts } from '../../support/two-hosts.js';

let lab: TwoHosts;

/** Starts the real amandad at a UDP port. */
function startDatagrams(auth: 'bsd' | 'bsdudp', words = 'amdump'): Promise<void> {
  return startAmandad(lab.client, {
    socket_type: 'dgram',
    protocol: 'udp',
    wait: 'yes',
    server_args: `-auth=${auth} ${words}`,
  });
}

const udp = [client.name, '--auth', 'bsdudp'];
const local = ['localhost', '--auth', 'local'];

/** Writes a program on the server, and returns its path. */
function program(text: string, mode = 0o755): string {
  const path = join(lab.server.sandbox.directory, `amandad-${process.hrtime.bigint()}`);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const rshScript = readFileSync(new URL('../../support/stand-in-rsh.sh', import.meta.url), 'utf8');

/** Asks by auth rsh, with a program that stands in for rsh. */
const overRsh = (script = rshScript): readonly string[] => [
  ...[client.name, '--auth', 'rsh', '--rsh-command'],
  program(script),
];

/** Listens on each reserved port. */
const holdPorts = `
const { createServer } = require('node:net');
let left = 1023 - 511;
for (let port = 512; port < 1024; port++)
  createServer().listen(port, '0.0.0.0', () => --left === 0 && console.error('held'));`;

const faults: readonly (Omit<FaultCase, 'args'> & { args: () => readonly string[] })[] = [
  {
    fault: 'nothing listens for datagrams',
    inject: () => undefined,
    args: () => udp,
    kind: 'udp-refused',
    exitCode: 3,
  },
  {
    fault: 'datagrams are dropped',
    inject: ({ server: ours }) =>
      ours.run('ip', 'neigh', 'replace', '10.77.0.9', 'lladdr', '02:00:00:00:00:09', 'dev', 'rxa0'),
    args: () => ['10.77.0.9', '--auth', 'bsd'],
    kind: 'udp-silent',
    within: 12,
    exitCode: 3,
  },
  {
    fault: 'bsdtcp listens instead of bsdudp',
    inject: ({ client: theirs }) => startAmandad(theirs),
    args: () => udp,
    kind: 'other-auth',
    says: /TCP and not for UDP/,
    exitCode: 3,
  },
  {
    fault: 'bsd listens instead of bsdtcp',
    inject: () => startDatagrams('bsd'),
    args: () => [client.name],
    kind: 'other-auth',
    says: /UDP/,
    exitCode: 3,
  },
  {
    fault: '.amandahosts has no line, over bsdudp',
    inject: ({ client: theirs }) => {
      theirs.sandbox.allow(['other.lab root amdump']);
      return startDatagrams('bsdudp');
    },
    args: () => udp,
    kind: 'amandahosts-line',
    exitCode: 1,
  },
  {
    fault: 'the target has no name for us, over bsd',
    inject: ({ client: theirs }) => {
      theirs.hosts([
        ...goodHosts.filter((line) => !line.includes(server.name)),
        `${server.address} one.lab`,
        '10.77.0.7 two.lab one.lab',
      ]);
      return startDatagrams('bsd');
    },
    args: () => [client.name, '--auth', 'bsd'],
    kind: 'amandahosts-line',
    exitCode: 1,
  },
  {
    fault: 'amandad is not installed',
    inject: () => undefined,
    args: () => [...local, '--amandad-path', '/nowhere/amandad'],
    kind: 'program-missing',
    exitCode: 3,
  },
  {
    fault: 'amandad may not be executed',
    inject: () => undefined,
    args: () => [...local, '--amandad-path', program('#!/bin/sh\n', 0o644)],
    kind: 'program-missing',
    says: /EACCES/,
    exitCode: 3,
  },
  {
    fault: 'another program is started as amandad',
    inject: () => undefined,
    args: () => [...local, '--amandad-path', program('#!/bin/sh\necho hello; exec cat\n')],
    kind: 'not-amanda',
    exitCode: 3,
  },
  {
    fault: 'what is started is silent',
    inject: () => undefined,
    args: () => [...local, '--amandad-path', program('#!/bin/sh\nexec sleep 100\n')],
    kind: 'not-amanda',
    exitCode: 3,
  },
  {
    fault: 'auth local as another user',
    inject: () => undefined,
    args: () => local,
    kind: 'wrong-user',
    says: /started by the user backup/,
    exitCode: 3,
  },
  {
    fault: 'a user without rights',
    inject: () => startAmandad(lab.client),
    args: () => [client.name],
    user: 'backup',
    kind: 'no-reserved-port',
    exitCode: 3,
  },
  {
    fault: 'all reserved ports are in use',
    inject: async ({ server: ours, client: theirs }) => {
      await startAmandad(theirs);
      await whenSaid(ours.start(process.execPath, ['-e', holdPorts]), /held/);
    },
    args: () => [client.name],
    kind: 'reserved-ports-busy',
    exitCode: 3,
  },
  {
    fault: "Debian's amandad, over rsh",
    inject: () => undefined,
    args: () => overRsh(),
    kind: 'other-auth',
    says: /built without this auth/,
    exitCode: 3,
  },
  {
    fault: 'rsh refuses the login',
    inject: () => undefined,
    args: () => overRsh('#!/bin/sh\necho Permission denied. >&2\nexit 1\n'),
    kind: 'ssh-key-refused',
    says: /\.rhosts/,
    exitCode: 3,
  },
  {
    fault: 'rsh is not installed',
    inject: () => undefined,
    args: () => [client.name, '--auth', 'rsh', '--rsh-command', '/nowhere/rsh'],
    kind: 'program-missing',
    says: /Install rsh on this host/,
    exitCode: 3,
  },
  {
    fault: 'amandad is not there, over rsh',
    inject: () => undefined,
    args: () => [...overRsh(), '--amandad-path', '/nowhere/amandad'],
    kind: 'amandad-missing',
    says: /\/nowhere\/amandad/,
    exitCode: 3,
  },
  {
    fault: 'the login over rsh prints something',
    inject: () => undefined,
    args: () => overRsh(rshScript.replace('shift', 'echo Welcome\nshift')),
    kind: 'ssh-noisy-login',
    exitCode: 3,
  },
  {
    fault: 'auth local for another host',
    inject: () => undefined,
    args: () => [client.name, '--auth', 'local'],
    kind: 'not-this-host',
    exitCode: 3,
  },
];

describeReal('rx-amanda doctor over UDP, local and rsh', ['amandad', 'xinetd'], () => {
  beforeAll(async () => {
    lab = await openTwoHosts();
  });
  beforeEach(() => heal(lab));
  afterEach(() => heal(lab));
  afterAll(async () => {
    printFaults();
    await lab.close();
  });

  it.each(['bsdudp', 'bsd'] as const)(
    'finds nothing to fix on a healthy target of %s',
    async (auth) => {
      await startDatagrams(auth);
      const found = await diagnose(lab, [client.name, '--auth', auth]);
      expect(findingsOf(found)).toEqual([]);
      expect(found.exitCode).toBe(0);
    },
  );

  it('finds nothing to fix over rsh', async () => {
    const path = ['--amandad-path', `${process.execPath} ${rxAmandad}`];
    const found = await diagnose(lab, [...overRsh(), ...path], { user: 'backup' });
    expect(findingsOf(found)).toEqual([]);
    expect(found.exitCode).toBe(0);
  });

  it('finds nothing to fix over local', async () => {
    const found = await diagnose(lab, local, { user: 'backup' });
    expect(findingsOf(found)).toEqual([]);
    expect(found.exitCode).toBe(0);
  });

  it.each(faults)('names first: $fault', ({ args, ...fault }) =>
    expectNamedFirst(lab, { ...fault, args: args() }),
  );
});
