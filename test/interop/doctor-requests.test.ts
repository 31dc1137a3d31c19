import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  diagnose,
  expectNamedFirst,
  findingsOf,
  heal,
  startAmandad,
  startServer,
  whenSaid,
  type FaultCase,
} from '../support/doctor-lab.js';
import { rxAmanda, rxAmandad } from '../support/program.js';
import { describeReal } from '../support/real-amanda.js';
import { giveToBackup } from '../support/sandbox.js';
import { client, goodHosts, openTwoHosts, server, type TwoHosts } from '../support/two-hosts.js';

let lab: TwoHosts;

const library = pathToFileURL(join(rxAmanda, '../../../index.js')).href;
const rxjs = pathToFileURL(join(rxAmanda, '../../../../node_modules/rxjs/dist/cjs/index.js')).href;

/** Starts a target whose noop and verdict are expressions of JavaScript. */
async function startFake(noop: string, verdict = `{ kind: 'allowed' }`): Promise<void> {
  const script = `
import { listenBsdtcp, reply, serve } from '${library}';
import rxjs from '${rxjs}';
const { of } = rxjs;
serve(
  listenBsdtcp({ port: 10080, host: '0.0.0.0', onListening: () => console.error('listening') }),
  { noop: () => ${noop}, selfcheck: () => of(reply()), sendsize: () => of(reply()), sendbackup: () => of(reply()) },
  { authorize: () => of(${verdict}) },
).subscribe();`;
  const words = ['--input-type=module', '-e', script];
  await whenSaid(lab.client.start(process.execPath, words), /listening/);
}

function refusal(reason: string): string {
  return `{ kind: 'refused', reason: ${JSON.stringify(reason)}, shown: 'refused' }`;
}

const plain = `of(reply({ lines: ['OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;'] }))`;

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
    fault: 'a NAT changes the source port',
    inject: async ({ client: theirs }) => {
      await startAmandad(theirs);
      await startServer(
        theirs,
        `const far = require('node:net').connect(10080, '127.0.0.1').on('error', () => {});
         socket.pipe(far).pipe(socket);`,
        10_081,
      );
    },
    args: [client.name, '--port', '10081'],
    kind: 'port-not-secure',
    says: /NAT/,
    exitCode: 1,
  },
  {
    fault: 'one address of the name does not answer',
    inject: async ({ server: ours, client: theirs }) => {
      ours.run(
        ...(['ip', 'neigh', 'replace', '10.77.0.9', 'lladdr'] as const),
        ...(['02:00:00:00:00:09', 'dev', 'rxa0'] as const),
      );
      ours.hosts([`10.77.0.9 ${client.name}`, ...goodHosts]);
      await startAmandad(theirs);
    },
    kind: 'address-dropped',
    within: 12,
    exitCode: 3,
  },
  {
    fault: '.amandahosts can be read by others',
    inject: async ({ client: theirs }) => {
      theirs.run('chmod', '644', '/var/backups/.amandahosts');
      await startAmandad(theirs);
    },
    kind: 'amandahosts-file',
    says: /chmod 600 \/var\/backups\/\.amandahosts/,
    exitCode: 1,
  },
  {
    fault: '.amandahosts belongs to root',
    inject: async ({ client: theirs }) => {
      theirs.run('chown', 'root', '/var/backups/.amandahosts');
      await startAmandad(theirs);
    },
    kind: 'amandahosts-file',
    says: /let Amanda's user read/,
    exitCode: 1,
  },
  {
    fault: '.amandahosts is missing',
    inject: async ({ client: theirs }) => {
      theirs.run('rm', '/var/backups/.amandahosts');
      await startAmandad(theirs);
    },
    kind: 'amandahosts-file',
    says: /make \/var\/backups\/\.amandahosts/,
    exitCode: 1,
  },
  {
    fault: '.amandahosts has CR LF',
    inject: async ({ client: theirs }) => {
      theirs.sandbox.allow([`${server.name} root amdump\r`]);
      await startAmandad(theirs);
    },
    kind: 'amandahosts-line',
    says: /doctor --local/,
    exitCode: 1,
  },
  {
    fault: '.amandahosts allows noop alone',
    inject: async ({ client: theirs }) => {
      theirs.sandbox.allow([`${server.name} root noop`]);
      await startAmandad(theirs);
    },
    kind: 'amandahosts-line',
    says: /server\.lab root amdump/,
    exitCode: 1,
  },
  {
    fault: 'a refusal of the 2.4 era, for the port',
    inject: () => startFake(plain, refusal('[host server.lab: port 700 not secure]')),
    kind: 'port-not-secure',
    exitCode: 1,
  },
  {
    fault: 'a refusal of the 2.4 era, for .amandahosts',
    inject: () =>
      startFake(
        plain,
        refusal('[access as backup not allowed from root@server.lab] amandahostsauth failed'),
      ),
    kind: 'amandahosts-line',
    says: /2\.4 era/,
    exitCode: 1,
  },
  {
    fault: 'a refusal of the 2.4 era, for the address',
    inject: () =>
      startFake(plain, refusal('[ip address 10.77.0.1 is not in the ip list for server.lab]')),
    kind: 'reverse-dns',
    exitCode: 1,
  },
  {
    fault: 'a refusal that moves the terminal',
    inject: () => startFake(plain, refusal('go away \u001b[2J')),
    kind: 'request-refused',
    says: /go away \\x1b\[2J/,
    exitCode: 1,
  },
  {
    fault: 'the service noop fails',
    inject: () => startFake(`of(reply({ lines: ['ERROR service noop failed: exited with 1'] }))`),
    kind: 'service-failed',
    exitCode: 1,
  },
  {
    fault: 'the reply to noop makes no sense',
    inject: () => startFake(`of(reply({ lines: ['nothing here'] }))`),
    kind: 'service-failed',
    exitCode: 1,
  },
  {
    fault: 'the target is from before features',
    inject: () => startFake(`of(reply({ lines: [''] }))`),
    kind: 'old-client',
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

describeReal('rx-amanda doctor and what a target says', ['amandad', 'xinetd'], () => {
  beforeAll(async () => {
    lab = await openTwoHosts();
  });
  beforeEach(() => heal(lab));
  afterEach(async () => {
    await heal(lab);
    rmSync(join(lab.server.sandbox.etc, 'daily'), { recursive: true, force: true });
  });
  afterAll(() => lab.close());

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

  it('finds nothing to fix on rx-amandad as a daemon', async () => {
    const words = ['-auth=bsdtcp', '-no-exit', '-tcp=10080', '-listen=0.0.0.0', 'amdump'];
    const daemon = lab.client.start(process.execPath, [rxAmandad, ...words]);
    await whenSaid(daemon, /listening on/);
    expect(findingsOf(await diagnose(lab, [client.name]))).toEqual([]);
    expect(findingsOf(await diagnose(lab, ['--local'], { on: 'client' }))).toEqual([]);
  });

  it('finds nothing to fix on a socket of systemd', async () => {
    const words = ['--inetd', '-a', '-l', '0.0.0.0:10080', '/usr/lib/amanda/amandad'];
    const all = [...words, '-auth=bsdtcp', 'amdump'];
    await whenSaid(
      lab.client.start('/usr/bin/systemd-socket-activate', all, 'backup'),
      /Listening/,
    );
    expect(findingsOf(await diagnose(lab, [client.name]))).toEqual([]);
  });

  it('prints a line a check, and the first thing to fix as the last line', async () => {
    const { text, exitCode } = await diagnose(lab, [client.name], { format: [] });
    const lines = text.trimEnd().split('\n');
    expect(lines.at(-1)).toMatch(/^First to fix: reachability\.tcp: On client\.lab, start /);
    expect(lines).toContain('skipped request.noop            because reachability.tcp failed');
    expect(exitCode).toBe(3);
  });

  it.each(faults)('names first: $fault', (fault) => expectNamedFirst(lab, fault));
});
