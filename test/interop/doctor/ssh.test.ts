import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  diagnose,
  expectNamedFirst,
  findingsOf,
  heal,
  printFaults,
  startServer,
  whenSaid,
  type FaultCase,
} from '../../support/doctor-lab.js';
import { describeReal } from '../../support/real-amanda.js';
import { giveToBackup } from '../../support/sandbox.js';
import { makeKey, writeSshFiles, type SshKeys } from '../../support/sshd.js';
import { client, openTwoHosts, type TwoHosts } from '../../support/two-hosts.js';

const KEY = '/var/backups/.ssh/id';
const args = [client.name, '--auth', 'ssh', '--ssh-key', KEY];

let lab: TwoHosts;
let files = '';
let keys: SshKeys;

/** A file of .ssh of user backup on a host. */
const sshFile = (host: 'server' | 'client', name: string): string =>
  join(lab[host].sandbox.home, '.ssh', name);

/** Starts the real sshd on the target. */
async function startSshd(): Promise<void> {
  const words = ['-D', '-e', '-f', join(files, 'sshd_config'), '-p', '22'];
  await whenSaid(lab.client.start('/usr/sbin/sshd', words), /Server listening on 0\.0\.0\.0/);
}

/** Puts the keys of user backup into both homes. */
function writeKeys(): void {
  for (const host of ['server', 'client'] as const) {
    const folder = join(lab[host].sandbox.home, '.ssh');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { mode: 0o700 });
    writeFileSync(join(folder, 'authorized_keys'), keys.userKey);
    writeFileSync(join(folder, 'known_hosts'), `${client.name} ${keys.hostKey}`);
    copyFileSync(join(files, 'id'), join(folder, 'id'));
    chmodSync(join(folder, 'id'), 0o600);
    giveToBackup(folder);
  }
  rmSync(join(lab.client.sandbox.home, '.bashrc'), { force: true });
}

const faults: readonly FaultCase[] = [
  { fault: 'sshd does not run', inject: () => undefined, kind: 'tcp-refused', exitCode: 3 },
  {
    fault: 'something else than sshd listens',
    inject: () => startServer(lab.client, `socket.write('220 mail ESMTP Postfix\\r\\n');`, 22),
    kind: 'other-service',
    says: /SMTP/,
    exitCode: 3,
  },
  {
    fault: 'sshd ends the connection after its greeting',
    inject: () => startServer(lab.client, `socket.end('SSH-2.0-OpenSSH_9.2p1\\r\\n');`, 22),
    kind: 'ssh-failed',
    says: /ssh -l backup client\.lab true/,
    exitCode: 3,
  },
  {
    fault: 'the host key is not known',
    inject: () => {
      rmSync(sshFile('server', 'known_hosts'));
      return startSshd();
    },
    kind: 'ssh-host-key',
    says: /not known/,
    exitCode: 3,
  },
  {
    fault: 'the host key has changed',
    inject: () => {
      const other = join(files, 'other');
      rmSync(other, { force: true });
      makeKey(other);
      const key = writeOtherKey(other);
      writeFileSync(sshFile('server', 'known_hosts'), `${client.name} ${key}`);
      return startSshd();
    },
    kind: 'ssh-host-key',
    says: /another one than before/,
    exitCode: 3,
  },
  {
    fault: 'the key is refused',
    inject: () => {
      rmSync(sshFile('client', 'authorized_keys'));
      return startSshd();
    },
    kind: 'ssh-key-refused',
    says: /authorized_keys of backup on client\.lab/,
    exitCode: 3,
  },
  {
    fault: 'the key file is missing',
    inject: () => {
      rmSync(sshFile('server', 'id'));
      return startSshd();
    },
    kind: 'ssh-key-file',
    exitCode: 3,
  },
  {
    fault: 'others can read the key file',
    inject: () => {
      chmodSync(sshFile('server', 'id'), 0o644);
      return startSshd();
    },
    kind: 'ssh-key-file',
    says: /chmod 600/,
    exitCode: 3,
  },
  {
    fault: 'amandad is not there',
    inject: () => startSshd(),
    args: [...args, '--amandad-path', '/nowhere/amandad'],
    kind: 'amandad-missing',
    says: /\/nowhere\/amandad/,
    exitCode: 3,
  },
  {
    fault: 'the login profile prints something',
    inject: () => {
      writeFileSync(join(lab.client.sandbox.home, '.bashrc'), 'echo Welcome to client.lab\n');
      return startSshd();
    },
    kind: 'ssh-noisy-login',
    says: /\.bashrc/,
    exitCode: 3,
  },
  {
    fault: 'a forced command starts another program',
    inject: () => {
      writeFileSync(
        sshFile('client', 'authorized_keys'),
        `command="/usr/sbin/nologin" ${keys.userKey}`,
      );
      return startSshd();
    },
    kind: 'ssh-shell',
    exitCode: 3,
  },
];

function writeOtherKey(file: string): string {
  return `${readFileSync(`${file}.pub`, 'utf8').split(' ').slice(0, 2).join(' ')}\n`;
}

describeReal('rx-amanda doctor over ssh', ['amandad', 'sshd'], () => {
  beforeAll(async () => {
    lab = await openTwoHosts();
    files = join(lab.client.sandbox.directory, 'sshd');
    mkdirSync(files);
    keys = writeSshFiles(files, { authorizedKeys: '.ssh/authorized_keys' });
  });
  beforeEach(async () => {
    await heal(lab);
    writeKeys();
  });
  afterEach(() => heal(lab));
  afterAll(async () => {
    printFaults();
    await lab.close();
  });

  it('finds nothing to fix on a healthy target', async () => {
    await startSshd();
    const found = await diagnose(lab, args, { user: 'backup' });
    expect(findingsOf(found)).toEqual([]);
    expect(found.exitCode).toBe(0);
  });

  it.each(faults)('names first: $fault', (fault) =>
    expectNamedFirst(lab, { args, user: 'backup', ...fault }),
  );
});
