import { chmodSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { firstToFix } from '../../src/doctor/first-to-fix.js';
import {
  amandahosts,
  BACKUP,
  closeSystem,
  examineSystem,
  folder,
  holdPort,
  openSystem,
  putCertificates,
  remove,
  write,
  xinetdWith,
} from '../support/local-system.js';
import { describeUnless, notRoot } from '../support/skips.js';

let root = '';

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
    'a TCP wrapper without the server',
    () => {
      write('etc/hosts.allow', '# amandad: ALL\nsshd: ALL\namandad: 10.1. .lab\n');
      write('etc/hosts.deny', 'ALL: ALL\n');
      amandahosts('10.0.0.7 backup amdump\n');
    },
    'tcp-wrapper',
    /Add the line "amandad: 10\.0\.0\.7" to \/etc\/hosts\.allow/,
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
  [
    'systemd with NoNewPrivileges in a drop-in',
    () => {
      remove('etc/xinetd.d/amanda');
      write('usr/lib/systemd/system/amanda.socket', '[Socket]\nListenStream=10080\n');
      write(
        'usr/lib/systemd/system/amanda@.service',
        '[Service]\nUser=backup\nExecStart=/usr/lib/amanda/amandad -auth=bsdtcp amdump\n',
      );
      write(
        'etc/systemd/system/amanda@.service.d/hardening.conf',
        '[Service]\nNoNewPrivileges=true\n',
      );
    },
    'no-new-privileges',
    /NoNewPrivileges=no/,
  ],
  [
    'another program at the port',
    () => holdPort('nc\0-l\0-p\u000010080\0'),
    'port-twice',
    /nc -l -p 10080/,
  ],
  [
    '.amandahosts that cannot be read',
    () => amandahosts('a b amdump\n'.repeat(100_000)),
    'local-unreadable',
    /may not read it/,
  ],
  [
    'a key of another certificate',
    () => {
      xinetdWith('bsdtcp', 'ssl');
      putCertificates('one', 'two');
    },
    'own-certificate',
    /is not the one of the certificate/,
  ],
  [
    'a key that others can read',
    () => {
      xinetdWith('bsdtcp', 'ssl');
      putCertificates('one', 'one');
      chmodSync(join(root, 'etc/amanda/ssl/me/private/key.pem'), 0o644);
    },
    'key-unsafe',
    /chmod 600/,
  ],
  ['no certificates', () => xinetdWith('bsdtcp', 'ssl'), 'own-certificate', /crt\.pem is missing/],
];

describeUnless(notRoot(), 'rx-amanda doctor --local', () => {
  beforeEach(() => {
    root = openSystem();
  });
  afterEach(closeSystem);

  it.each(faults)('names first: %s', async (_, inject, kind, says) => {
    inject();
    const checks = await examineSystem();
    const first = firstToFix(checks);
    expect(first?.doc, JSON.stringify(checks.filter(({ doc }) => doc))).toBe(
      `docs/doctor.md#${kind}`,
    );
    expect(`${first?.message}\n${first?.fix}`).toMatch(says);
  });
});
