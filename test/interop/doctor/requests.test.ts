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
  startServer,
  whenSaid,
  type FaultCase,
} from '../../support/doctor-lab.js';
import { rxAmandad } from '../../support/program.js';
import { describeReal } from '../../support/real-amanda.js';
import { client, goodHosts, openTwoHosts, server, type TwoHosts } from '../../support/two-hosts.js';

let lab: TwoHosts;

function refusal(reason: string): string {
  return `{ kind: 'refused', reason: ${JSON.stringify(reason)}, shown: 'refused' }`;
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
    inject: () =>
      startFake(lab.client, plainNoop, refusal('[host server.lab: port 700 not secure]')),
    kind: 'port-not-secure',
    exitCode: 1,
  },
  {
    fault: 'a refusal of the 2.4 era, for .amandahosts',
    inject: () =>
      startFake(
        lab.client,
        plainNoop,
        refusal('[access as backup not allowed from root@server.lab] amandahostsauth failed'),
      ),
    kind: 'amandahosts-line',
    says: /2\.4 era/,
    exitCode: 1,
  },
  {
    fault: 'a refusal of the 2.4 era, for the address',
    inject: () =>
      startFake(
        lab.client,
        plainNoop,
        refusal('[ip address 10.77.0.1 is not in the ip list for server.lab]'),
      ),
    kind: 'reverse-dns',
    exitCode: 1,
  },
  {
    fault: 'a refusal that moves the terminal',
    inject: () => startFake(lab.client, plainNoop, refusal('go away \u001b[2J')),
    kind: 'request-refused',
    says: /go away \\x1b\[2J/,
    exitCode: 1,
  },
  {
    fault: 'the service noop fails',
    inject: () =>
      startFake(lab.client, `of(reply({ lines: ['ERROR service noop failed: exited with 1'] }))`),
    kind: 'service-failed',
    exitCode: 1,
  },
  {
    fault: 'the reply to noop makes no sense',
    inject: () => startFake(lab.client, `of(reply({ lines: ['nothing here'] }))`),
    kind: 'service-failed',
    exitCode: 1,
  },
  {
    fault: 'the target is from before features',
    inject: () => startFake(lab.client, `of(reply({ lines: [''] }))`),
    kind: 'old-client',
    exitCode: 0,
  },
  {
    fault: 'noop never replies',
    inject: () => startFake(lab.client, 'NEVER'),
    kind: 'request-lost',
    exitCode: 1,
  },
];

describeReal('rx-amanda doctor and what a target says', ['amandad', 'xinetd'], () => {
  beforeAll(async () => {
    lab = await openTwoHosts();
  });
  beforeEach(() => heal(lab));
  afterEach(() => heal(lab));
  afterAll(async () => {
    printFaults();
    await lab.close();
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
