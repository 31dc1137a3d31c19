/** Certificates for the TLS peers, made by openssl in a folder that is removed at exit. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why there can be no certificates here; undefined when there can. */
export function whyNoCertificates() {
  return spawnSync('openssl', ['version']).status === 0 ? undefined : 'openssl is missing';
}

let folder;

/** A folder as the option `sslDir` takes it: a CA and a certificate for `localhost`. */
export function sslDir() {
  folder ??= makeFolder();
  return folder;
}

function makeFolder() {
  const root = mkdtempSync(join(tmpdir(), 'rx-amanda-bench-'));
  process.on('exit', () => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'CA'));
  mkdirSync(join(root, 'me/private'), { recursive: true, mode: 0o700 });
  const [ca, caKey, csr] = ['CA/crt.pem', 'ca.key', 'me.csr'].map((name) => join(root, name));
  const [cert, key, extensions] = ['me/crt.pem', 'me/private/key.pem', 'extensions'].map((name) =>
    join(root, name),
  );
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-sha256'];
  writeFileSync(extensions, 'basicConstraints=CA:FALSE\n');
  openssl(
    'req',
    ...curve,
    '-x509',
    '-days',
    '2',
    '-subj',
    '/CN=bench',
    '-keyout',
    caKey,
    '-out',
    ca,
  );
  openssl('req', ...curve, '-subj', '/CN=localhost', '-keyout', key, '-out', csr);
  const signing = ['-CA', ca, '-CAkey', caKey, '-set_serial', '1', '-extfile', extensions];
  openssl('x509', '-req', '-sha256', '-days', '2', '-in', csr, ...signing, '-out', cert);
  return root;
}

function openssl(...words) {
  execFileSync('openssl', words, { stdio: 'ignore' });
}
