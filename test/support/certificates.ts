import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A certificate and its key, as files. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

export interface SignedOptions {
  /** Default `localhost`; none when empty. */
  readonly commonName?: string;
  /** The whole subject, in the place of the common name. */
  readonly subject?: string;
  /** From now on; negative for one that has expired. */
  readonly days?: number;
  /** Lets it sign others. */
  readonly isAuthority?: boolean;
  /** An RSA key of so many bits instead of an elliptic one. */
  readonly rsaBits?: number;
  /** Further lines of its extensions. */
  readonly extensions?: string;
}

/** A folder of certificates, made by openssl. */
export interface Certificates {
  readonly directory: string;
  /** A self-signed certificate: an authority. */
  authority(name: string): Identity;
  /** A certificate that an authority signs; `isAuthority` lets it sign others. */
  signed(name: string, by: Identity, options?: SignedOptions): Identity;
  /**
   * Puts them where Amanda looks for them: a new folder with `CA/crt.pem`, `me/crt.pem`,
   * `me/private/key.pem`.
   */
  sslDir(name: string, authority: Identity, me: Identity): string;
  /** Removes all. */
  close(): void;
}

const ELLIPTIC: readonly string[] = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];

/** Makes a folder for certificates, below `parent` or where temporary files are. */
export function openCertificates(parent = tmpdir()): Certificates {
  const directory = mkdtempSync(join(parent, 'rx-amanda-ssl-'));
  chmodSync(directory, 0o755);
  const identity = (name: string): Identity => ({
    cert: join(directory, `${name}.crt`),
    key: join(directory, `${name}.key`),
  });
  const request = (
    name: string,
    subject: string,
    kind: readonly string[],
    ...more: readonly string[]
  ): void => {
    const { key } = identity(name);
    openssl('req', ...kind, '-nodes', '-sha256', '-subj', subject, '-keyout', key, ...more);
  };
  return {
    directory,
    authority(name) {
      request(name, `/CN=${name}`, ELLIPTIC, '-x509', '-days', '30', '-out', identity(name).cert);
      return identity(name);
    },
    signed(
      name,
      by,
      {
        commonName = 'localhost',
        subject = commonName === '' ? '/O=nameless' : `/CN=${commonName}`,
        days = 30,
        isAuthority = false,
        rsaBits,
        extensions: more = '',
      } = {},
    ) {
      const { cert, key } = identity(name);
      const csr = join(directory, `${name}.csr`);
      const extensions = join(directory, `${name}.ext`);
      writeFileSync(
        extensions,
        `${isAuthority ? 'basicConstraints=critical,CA:TRUE' : 'basicConstraints=CA:FALSE'}\n${more}`,
      );
      request(
        name,
        subject,
        rsaBits === undefined ? ELLIPTIC : ['-newkey', `rsa:${rsaBits}`],
        '-out',
        csr,
      );
      const serial = String(process.hrtime.bigint());
      openssl(
        'x509',
        '-req',
        '-sha256',
        '-days',
        String(days),
        '-in',
        csr,
        '-CA',
        by.cert,
        '-CAkey',
        by.key,
        '-set_serial',
        serial,
        '-extfile',
        extensions,
        '-out',
        cert,
      );
      return { cert, key };
    },
    sslDir(name, authority, me) {
      const root = join(directory, name);
      copy(authority.cert, join(root, 'CA', 'crt.pem'), 0o644);
      copy(me.cert, join(root, 'me', 'crt.pem'), 0o644);
      copy(me.key, join(root, 'me', 'private', 'key.pem'), 0o600);
      return root;
    },
    close() {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Puts a peer's fingerprint on file, or any text. */
export function pin(sslDir: string, host: string, text: string): string {
  const file = join(sslDir, 'remote', host, 'fingerprint');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/**
 * What openssl prints for a certificate: `SHA1 Fingerprint=AA:BB:…`, the algorithm as openssl
 * spells it there.
 */
export function fingerprint(cert: string, algorithm?: 'md5' | 'sha1' | 'sha256'): string {
  return openssl(
    'x509',
    '-in',
    cert,
    '-noout',
    '-fingerprint',
    ...(algorithm === undefined ? [] : [`-${algorithm}`]),
  );
}

function copy(source: string, target: string, mode: number): void {
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, readFileSync(source), { mode });
}

function openssl(...words: readonly string[]): string {
  return execFileSync('openssl', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
