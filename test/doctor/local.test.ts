import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { firstValueFrom, toArray } from 'rxjs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Check } from '../../src/doctor/check.js';
import { doctorLocal } from '../../src/doctor/doctor.js';
import { firstToFix } from '../../src/doctor/first-to-fix.js';
import { describeUnless, notRoot } from '../support/skips.js';

const BACKUP = 34;

const xinetd = `service amanda
{
    disable     = no
    socket_type = stream
    protocol    = tcp
    wait        = no
    user        = backup
    server      = /usr/lib/amanda/amandad
    server_args = -auth=bsdtcp amdump amindexd amidxtaped
}
`;

const LISTENING =
  '  sl  local_address rem_address   st\n   0: 00000000:2760 00000000:0000 0A 00000000:00000000\n';

let root = '';

/** Writes a file below the root of the test's system. */
function write(path: string, text: string, mode = 0o644, owner = 0): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, 'latin1');
  chownSync(file, owner, owner);
  chmodSync(file, mode);
}

function folder(path: string, mode: number, owner = 0): void {
  mkdirSync(join(root, path), { recursive: true });
  chownSync(join(root, path), owner, owner);
  chmodSync(join(root, path), mode);
}

const remove = (path: string): void => rmSync(join(root, path), { recursive: true });

const amandahosts = (text: string): void => write('var/backups/.amandahosts', text, 0o600, BACKUP);

const xinetdWith = (line: string, other: string): void =>
  write('etc/xinetd.d/amanda', xinetd.replace(line, other));

/** A healthy Debian with Amanda's client. */
function makeSystem(): void {
  write(
    'etc/passwd',
    'root:x:0:0::/root:/bin/sh\nbackup:x:34:34::/var/backups:/usr/sbin/nologin\n',
  );
  write('etc/group', 'root:x:0:\nbackup:x:34:\ndisk:x:6:backup\n');
  write('etc/services', 'amanda 10080/tcp\n');
  write('etc/xinetd.conf', 'defaults\n{\n}\n\nincludedir /etc/xinetd.d\n');
  write('etc/xinetd.d/amanda', xinetd);
  write('proc/net/tcp', LISTENING);
  for (const name of ['amandad', 'noop', 'selfcheck', 'sendsize', 'sendbackup'])
    write(`usr/lib/amanda/${name}`, '', 0o755);
  write('usr/lib/amanda/runtar', '', 0o4750);
  chownSync(join(root, 'usr/lib/amanda/runtar'), 0, BACKUP);
  chmodSync(join(root, 'usr/lib/amanda/runtar'), 0o4750);
  write('etc/amanda-security.conf', 'runtar:gnutar_path=/bin/tar\n');
  write('bin/tar', '', 0o755);
  folder('var/backups', 0o755);
  folder('dev/shm', 0o1777);
  folder('var/lib/amanda/gnutar-lists', 0o770, BACKUP);
  folder('var/log/amanda', 0o770, BACKUP);
  folder('tmp', 0o1777);
  amandahosts('localhost backup amdump\n');
}

/** Names that this test decides: 10.0.0.1 is one.lab. */
const names = {
  resolver: {
    nameOf: (address: string) => [address === '10.0.0.1' ? 'one.lab' : undefined],
    addressesOf: () => [['10.0.0.1']],
    canonicalOf: (name: string) => [name],
  },
};

function examine(): Promise<readonly Check[]> {
  return firstValueFrom(doctorLocal({ root, names }).pipe(toArray()));
}

const faults: readonly (readonly [
  fault: string,
  inject: () => void,
  kind: string,
  says: RegExp,
])[] = [
  ['no user', () => write('etc/passwd', 'root:x:0:0::/root:/bin/sh\n'), 'no-amanda-user', /backup/],
  ['no home', () => remove('var/backups'), 'amanda-home', /no folder/],
  ['a closed home', () => folder('var/backups', 0o700), 'amanda-home', /chown backup/],
  ['no .amandahosts', () => remove('var/backups/.amandahosts'), 'amandahosts-file', /missing/],
  [
    '.amandahosts of root',
    () => write('var/backups/.amandahosts', 'a b amdump\n', 0o600),
    'amandahosts-file',
    /chown backup/,
  ],
  [
    '.amandahosts that others can read',
    () => write('var/backups/.amandahosts', 'a b amdump\n', 0o644, BACKUP),
    'amandahosts-file',
    /chmod 600/,
  ],
  ['CR LF', () => amandahosts('localhost backup amdump\r\n'), 'amandahosts-crlf', /line 1.*CR LF/],
  ['a BOM', () => amandahosts('\u00ef\u00bb\u00bflocalhost backup\n'), 'amandahosts-bom', /sed/],
  [
    'a comment',
    () => amandahosts('# servers\nlocalhost backup\n'),
    'amandahosts-comment',
    /line 1/,
  ],
  ['a wildcard', () => amandahosts('*.lab backup\n'), 'amandahosts-useless', /wildcard/],
  [
    'a service that does not exist',
    () => amandahosts('localhost backup amdumps\n'),
    'amandahosts-useless',
    /no service/,
  ],
  ['no lines', () => amandahosts('\n'), 'amandahosts-line', /no lines/],
  [
    'the address of a named host',
    () => amandahosts('10.0.0.1 backup\n'),
    'amandahosts-name',
    /has the name one\.lab/,
  ],
  ['no xinetd', () => remove('etc/xinetd.d/amanda'), 'no-listener', /Nothing starts amandad/],
  [
    'xinetd with disable',
    () => xinetdWith('disable     = no', 'disable = yes'),
    'listener-disabled',
    /disable = no in \/etc\/xinetd\.d\/amanda/,
  ],
  [
    'xinetd with a missing server',
    () => xinetdWith('/usr/lib/amanda/amandad', '/usr/libexec/amandad'),
    'program-missing',
    /\/usr\/libexec\/amandad, which is not there/,
  ],
  [
    'xinetd with another user',
    () => xinetdWith('= backup', '= amandabackup'),
    'no-amanda-user',
    /amandabackup/,
  ],
  [
    'xinetd with wait',
    () => xinetdWith('= no\n    user', '= yes\n    user'),
    'listener-wait',
    /wait = no/,
  ],
  ['no auth', () => xinetdWith('-auth=bsdtcp ', ''), 'listener-auth', /-auth=bsdtcp/],
  ['auth bsd by TCP', () => xinetdWith('bsdtcp', 'bsd'), 'listener-auth', /needs udp/],
  ['a wrong service', () => xinetdWith('amindexd', 'amindex'), 'service-not-enabled', /amindex/],
  ['no amdump', () => xinetdWith('amdump ', ''), 'service-not-enabled', /Add amdump/],
  [
    'only_from without the server',
    () => {
      xinetdWith('user        =', 'only_from = 10.1.0.0/16 localhost\n    user =');
      amandahosts('10.0.0.7 backup amdump\n');
    },
    'only-from',
    /Add 10\.0\.0\.7 to only_from/,
  ],
  [
    'xinetd that does not run',
    () => write('proc/net/tcp', '  sl\n'),
    'not-listening',
    /restart xinetd/,
  ],
  [
    'systemd with NoNewPrivileges',
    () => {
      remove('etc/xinetd.d/amanda');
      write('etc/systemd/system/amanda.socket', '[Socket]\nListenStream=10080\n');
      write(
        'etc/systemd/system/amanda.service',
        '[Service]\nUser=backup\nNoNewPrivileges=yes\nExecStart=/usr/lib/amanda/amandad -auth=bsdtcp amdump\n',
      );
    },
    'no-new-privileges',
    /NoNewPrivileges=no/,
  ],
  [
    'two owners of the port',
    () =>
      write(
        'etc/inetd.conf',
        'amanda stream tcp nowait backup /usr/lib/amanda/amandad amandad -auth=bsdtcp amdump\n',
      ),
    'port-twice',
    /inetd/,
  ],
  ['no sendbackup', () => remove('usr/lib/amanda/sendbackup'), 'program-missing', /sendbackup/],
  [
    'runtar without set-user-ID',
    () => chmodSync(join(root, 'usr/lib/amanda/runtar'), 0o750),
    'runtar-rights',
    /chmod 4750/,
  ],
  [
    'runtar of another group',
    () => {
      chownSync(join(root, 'usr/lib/amanda/runtar'), 0, 0);
      chmodSync(join(root, 'usr/lib/amanda/runtar'), 0o4750);
    },
    'runtar-rights',
    /may not execute/,
  ],
  [
    'a security file that others can write',
    () => chmodSync(join(root, 'etc/amanda-security.conf'), 0o666),
    'security-conf',
    /chmod 644/,
  ],
  [
    'a security file without this tar',
    () => write('etc/amanda-security.conf', 'runtar:gnutar_path=/opt/tar\n'),
    'security-conf',
    /\/opt\/tar/,
  ],
  ['no /dev/shm', () => remove('dev/shm'), 'shared-memory', /mkdir/],
  ['a closed /dev/shm', () => folder('dev/shm', 0o755), 'shared-memory', /chmod 1777/],
  ['no gnutar-lists', () => remove('var/lib/amanda/gnutar-lists'), 'gnutar-lists', /missing/],
  [
    'gnutar-lists of root',
    () => folder('var/lib/amanda/gnutar-lists', 0o755),
    'gnutar-lists',
    /chown backup/,
  ],
  ['no certificates', () => xinetdWith('bsdtcp', 'ssl'), 'own-certificate', /crt\.pem is missing/],
];

describeUnless(notRoot(), 'rx-amanda doctor --local', () => {
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'rx-amanda-root-'));
    makeSystem();
  });
  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  it('finds nothing to fix on a healthy system', async () => {
    const checks = await examine();
    expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(checks.length).toBeGreaterThan(12);
  });

  it('finds the daemon that owns the port', async () => {
    remove('etc/xinetd.d/amanda');
    write(
      'proc/net/tcp',
      '  sl\n   0: 00000000:2760 00000000:0000 0A 00000000:00000000 00:00000000 00000000 34 0 777 1\n',
    );
    write('proc/42/cmdline', 'node\0rx-amandad\0-auth=bsdtcp\0');
    mkdirSync(join(root, 'proc/42/fd'));
    symlinkSync('socket:[777]', join(root, 'proc/42/fd/7'));
    const checks = await examine();
    expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(checks.find(({ id }) => id === 'local.listener')?.message).toBe(
      'Port 10080 is open: node rx-amandad -auth=bsdtcp.',
    );
  });

  it.each(faults)('names first: %s', async (_, inject, kind, says) => {
    inject();
    const checks = await examine();
    const first = firstToFix(checks);
    expect(first?.doc, JSON.stringify(checks.filter(({ doc }) => doc))).toBe(
      `docs/doctor.md#${kind}`,
    );
    expect(`${first?.message}\n${first?.fix}`).toMatch(says);
  });
});
