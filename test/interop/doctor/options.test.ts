import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  diagnose,
  expectNamedFirst,
  findingsOf,
  heal,
  printFaults,
  startAmandad,
  startFake,
  plainNoop,
  type FaultCase,
} from '../../support/doctor-lab.js';
import { describeReal } from '../../support/real-amanda.js';
import { giveToBackup } from '../../support/sandbox.js';
import { client, openTwoHosts, type TwoHosts } from '../../support/two-hosts.js';

let lab: TwoHosts;

/** A sendsize that answers the request for an estimate in its own way, and others at once. */
const estimates = (answer: string): string =>
  `Buffer.from(request.arguments).includes('<dle>') ? ${answer} : of(reply())`;

const size = (line: string): string => `of(reply({ lines: ['OPTIONS ;', '${line}'] }))`;

/** Has the server ask a target for the disk /x, which may take a second. */
async function startEstimates(sendsize: string): Promise<void> {
  configure(`${client.name} /x tcp\n`, 'etimeout 1\n');
  await startFake(lab.client, plainNoop, undefined, sendsize);
}

/** A configuration of the server, "daily". */
function configure(disklist: string, conf = ''): void {
  const folder = join(lab.server.sandbox.etc, 'daily');
  mkdirSync(folder, { recursive: true });
  const dumptype = 'define dumptype tcp {\n  auth "bsdtcp"\n  program "GNUTAR"\n}\n';
  writeFileSync(join(folder, 'amanda.conf'), `${dumptype}${conf}`);
  writeFileSync(join(folder, 'disklist'), disklist);
}

const faults: readonly FaultCase[] = [
  {
    fault: 'the estimate takes most of etimeout',
    inject: () => startEstimates(estimates(`${size('/x 0 SIZE 10')}.pipe(delay(700))`)),
    args: [client.name, '--config', 'daily', '--disk', '/x'],
    kind: 'estimate-slow',
    exitCode: 0,
  },
  {
    fault: 'the estimate takes longer than etimeout',
    inject: () => startEstimates(estimates('NEVER')),
    args: [client.name, '--config', 'daily', '--disk', '/x'],
    kind: 'estimate-slow',
    says: /longer than etimeout, 1 s/,
    exitCode: 1,
  },
  {
    fault: 'the estimate fails',
    inject: () => startEstimates(estimates(size('/x 0 ERROR "tar is missing"'))),
    args: [client.name, '--config', 'daily', '--disk', '/x'],
    kind: 'estimate-failed',
    says: /tar is missing/,
    exitCode: 1,
  },
  {
    fault: 'a library of amandad is missing',
    inject: async ({ client: theirs }) => {
      await startAmandad(theirs);
      theirs.run('mount', '-t', 'tmpfs', 'none', '/usr/lib/x86_64-linux-gnu/amanda');
    },
    undo: ({ client: theirs }) => theirs.run('umount', '/usr/lib/x86_64-linux-gnu/amanda'),
    args: ['--local'],
    on: 'client',
    kind: 'library-missing',
    says: /libamanda/,
    exitCode: 1,
  },
  {
    fault: '/dev/shm is nearly full',
    inject: async ({ client: theirs }) => {
      await startAmandad(theirs);
      theirs.run('mount', '-t', 'tmpfs', '-o', 'size=1m,mode=1777', 'none', '/dev/shm');
    },
    undo: ({ client: theirs }) => theirs.run('umount', '/dev/shm'),
    args: ['--local'],
    on: 'client',
    kind: 'little-space',
    exitCode: 0,
  },
  {
    fault: 'the configuration is invalid',
    inject: () => configure(`${client.name} /tmp tcp\n`, 'ctimeout banana\n'),
    args: [client.name, '--config', 'daily'],
    kind: 'config-invalid',
    says: /daily\/amanda\.conf.*line 5/,
    exitCode: 1,
  },
  {
    fault: 'the disklist does not have the host',
    inject: async ({ client: theirs }) => {
      configure(`other.lab /tmp tcp\n`);
      await startAmandad(theirs);
    },
    args: [client.name, '--config', 'daily'],
    kind: 'host-not-in-disklist',
    exitCode: 0,
  },
  {
    fault: 'the disk is not there',
    inject: ({ client: theirs }) => startAmandad(theirs),
    args: [client.name, '--disk', '/nowhere'],
    kind: 'selfcheck-problem',
    says: /nowhere/,
    exitCode: 1,
  },
  {
    fault: 'nothing listens for amrecover',
    inject: ({ client: theirs }) => startAmandad(theirs),
    args: [client.name, '--both-ways'],
    kind: 'index-unreachable',
    exitCode: 1,
  },
  {
    fault: '.amandahosts of the server has no line for recoveries',
    inject: async ({ server: ours, client: theirs }) => {
      await startAmandad(ours);
      await startAmandad(theirs);
    },
    args: [client.name, '--both-ways'],
    kind: 'amandahosts-line',
    says: /on this host: client\.lab root amindexd amidxtaped/,
    exitCode: 1,
  },
];

describeReal('rx-amanda doctor with its options', ['amandad', 'xinetd'], () => {
  beforeAll(async () => {
    lab = await openTwoHosts();
  });
  beforeEach(() => heal(lab));
  afterEach(async () => {
    await heal(lab);
    rmSync(join(lab.server.sandbox.etc, 'daily'), { recursive: true, force: true });
  });
  afterAll(async () => {
    printFaults();
    await lab.close();
  });

  it('finds nothing to fix with a disk, a configuration, and both ways', async () => {
    await startAmandad(lab.server);
    await startAmandad(lab.client);
    lab.server.sandbox.allow([`${client.name} root amindexd amidxtaped`]);
    const tree = join(lab.client.sandbox.home, 'tree');
    mkdirSync(tree, { recursive: true });
    writeFileSync(join(tree, 'file'), 'text');
    giveToBackup(tree);
    configure(`${client.name} tree /var/backups/tree tcp\n`);
    const words = ['--config', 'daily', '--disk', 'tree', '--both-ways'];
    const found = await diagnose(lab, [client.name, ...words]);
    expect(findingsOf(found)).toEqual([]);
    expect(found.checks.find(({ id }) => id === 'configuration.choice')?.message).toMatch(
      /Auth bsdtcp by .*daily\/amanda\.conf line 2/,
    );
    expect(found.checks.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['disk.selfcheck', 'disk.estimate', 'way-back.index']),
    );
    expect(found.exitCode).toBe(0);
  });

  it.each(faults)('names first: $fault', (fault) => expectNamedFirst(lab, fault));
});
