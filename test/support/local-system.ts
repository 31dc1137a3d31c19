import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { firstValueFrom, toArray } from 'rxjs';
import type { Check } from '../../src/doctor/check.js';
import { doctorLocal } from '../../src/doctor/doctor.js';
import { openCertificates } from './certificates.js';

export const BACKUP = 34;

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

/** Makes a healthy Debian with Amanda's client in a new folder, and returns the folder. */
export function openSystem(): string {
  root = mkdtempSync(join(tmpdir(), 'rx-amanda-root-'));
  makeSystem();
  return root;
}

export function closeSystem(): void {
  rmSync(root, { recursive: true, force: true });
}

/** Writes a file below the root of the test's system. */
export function write(path: string, text: string, mode = 0o644, owner = 0): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, 'latin1');
  chownSync(file, owner, owner);
  chmodSync(file, mode);
}

export function folder(path: string, mode: number, owner = 0): void {
  mkdirSync(join(root, path), { recursive: true });
  chownSync(join(root, path), owner, owner);
  chmodSync(join(root, path), mode);
}

export const remove = (path: string): void => rmSync(join(root, path), { recursive: true });

export const amandahosts = (text: string): void =>
  write('var/backups/.amandahosts', text, 0o600, BACKUP);

export const xinetdWith = (line: string, other: string): void =>
  write('etc/xinetd.d/amanda', xinetd.replace(line, other));

/** Has a process hold port 10080. */
export function holdPort(commandLine: string): void {
  write(
    'proc/net/tcp',
    '  sl\n   0: 00000000:2760 00000000:0000 0A 00000000:00000000 00:00000000 00000000 34 0 777 1\n',
  );
  write('proc/42/cmdline', commandLine);
  mkdirSync(join(root, 'proc/42/fd'));
  symlinkSync('socket:[777]', join(root, 'proc/42/fd/7'));
}

/** Files of auth ssl: the certificate of one, and the key of another. */
export function putCertificates(certificate: string, key: string): void {
  const pems = openCertificates();
  const authority = pems.authority('authority');
  const copy = (path: string, from: string): void =>
    write(`etc/amanda/ssl/${path}`, readFileSync(from, 'latin1'), 0o600, BACKUP);
  copy('CA/crt.pem', authority.cert);
  copy('me/private/key.pem', pems.signed(key, authority, { commonName: key }).key);
  if (certificate === key) copy('me/crt.pem', `${pems.directory}/${key}.crt`);
  else copy('me/crt.pem', pems.signed(certificate, authority, { commonName: certificate }).cert);
  pems.close();
}

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

/** Names that the tests decide: 10.0.0.1 is one.lab. */
const names = {
  resolver: {
    nameOf: (address: string) => [address === '10.0.0.1' ? 'one.lab' : undefined],
    addressesOf: () => [['10.0.0.1']],
    canonicalOf: (name: string) => [name],
  },
};

/** All checks of the system. */
export function examineSystem(): Promise<readonly Check[]> {
  return firstValueFrom(doctorLocal({ root, names }).pipe(toArray()));
}
