import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { AmandaError } from '../wire/errors.js';

/** Where a side's own certificate, its key and the CA's certificate are. An empty name counts as none. */
export interface CertificateFiles {
  /** Holds `CA/crt.pem`, `me/crt.pem`, `me/private/key.pem` and `remote/NAME/fingerprint`. Default {@link DEFAULT_SSL_DIR}. */
  readonly sslDir?: string;
  /** This side's certificate; default `me/crt.pem` below `sslDir`. */
  readonly sslCertFile?: string;
  /** Its private key; default `me/private/key.pem` below `sslDir`. */
  readonly sslKeyFile?: string;
  /** The certificates that peers' ones must be signed by; default `CA/crt.pem` below `sslDir`. */
  readonly sslCaCertFile?: string;
  /** Refuse, with `KEY_UNSAFE`, to use a key that others can read; default: only warn. */
  readonly insistOnSafeKey?: boolean;
  /** Told what works but should not stay so: `KEY_UNSAFE`, `CERTIFICATE_UNUSABLE`. Default: `process.emitWarning`. */
  readonly onWarning?: (warning: AmandaError) => void;
}

/** Where the files are when nobody says. */
export const DEFAULT_SSL_DIR = '/etc/amanda/ssl';

/** This side's part of a TLS handshake, read and seen to fit together. */
export interface OwnCertificates {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** PEM. */
  readonly ca: string;
  readonly authorities: readonly X509Certificate[];
  readonly certFile: string;
  readonly caFile: string;
}

/**
 * Reads this side's certificate, its key, and the CA's certificate.
 *
 * Rejects with `FILE_FAILED` for a file that cannot be read, `CERTIFICATE_UNUSABLE` for one that holds something else or does not
 * fit the others, and `KEY_UNSAFE`; each names the file. Source: PROTOCOL.md, "Drivers".
 */
export async function readCertificates(options: CertificateFiles): Promise<OwnCertificates> {
  const {
    sslDir,
    sslCertFile,
    sslKeyFile,
    sslCaCertFile,
    insistOnSafeKey = false,
    onWarning = emitWarning,
  } = options;
  const certFile = sslCertFile || join(sslDir || DEFAULT_SSL_DIR, 'me', 'crt.pem');
  const keyFile = sslKeyFile || join(sslDir || DEFAULT_SSL_DIR, 'me', 'private', 'key.pem');
  const caFile = sslCaCertFile || join(sslDir || DEFAULT_SSL_DIR, 'CA', 'crt.pem');
  const [cert, key, ca] = await Promise.all([
    readSmallFile(certFile),
    readSmallFile(keyFile),
    readSmallFile(caFile),
  ]);
  const unsafe = whyUnsafe(keyFile, key.stat);
  if (unsafe !== undefined && insistOnSafeKey) throw unsafe;
  const authorities = certificatesIn(caFile, ca.text);
  const [mine] = certificatesIn(certFile, cert.text);
  if (!mine.checkPrivateKey(privateKeyIn(keyFile, key.text))) {
    throw unusable(`The private key ${keyFile} is not the one of the certificate ${certFile}.`);
  }
  for (const warning of [unsafe, whyRefusable(mine, certFile, authorities, caFile)])
    if (warning !== undefined) onWarning(warning);
  return { cert: cert.text, key: key.text, ca: ca.text, authorities, certFile, caFile };
}

/** Whether a certificate is signed by one of these themselves, with nobody between. */
export function isSignedBy(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
): boolean {
  return authorities.some((authority) => {
    try {
      return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
    } catch {
      // A kind of key that this Node does not know signs nothing.
      return false;
    }
  });
}

/** Bytes; certificates, keys and fingerprints are a few thousand. */
const MAX_FILE_BYTES = 1_048_576;

/** Reads a whole file of 1 MiB at the most. Rejects with `FILE_FAILED`. */
export async function readSmallFile(
  path: string,
): Promise<{ readonly text: string; readonly stat: Stats }> {
  try {
    const file = await open(path);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw new Error('it is no regular file');
      const { bytesRead, buffer } = await file.read(
        Buffer.alloc(Math.min(stat.size, MAX_FILE_BYTES) + 1),
      );
      if (bytesRead > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
      return { text: buffer.toString('utf8', 0, bytesRead), stat };
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new AmandaError(
      'FILE_FAILED',
      `Cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}.`,
      { cause },
    );
  }
}

/** Its owner alone may read a key; where that is root, whoever runs Amanda gets at it by its group. */
function whyUnsafe(keyFile: string, { mode, uid }: Stats): AmandaError | undefined {
  const forbidden = uid === 0 ? 0o037 : 0o077;
  if ((mode & forbidden) === 0) return undefined;
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  return new AmandaError(
    'KEY_UNSAFE',
    `Others can get at the private key ${keyFile} (its mode is ${octal}); whoever reads it can pass for this host. chmod 600 ${keyFile}`,
  );
}

/** Peers will say no, and upstream's say so by silence only. */
function whyRefusable(
  mine: X509Certificate,
  certFile: string,
  authorities: readonly X509Certificate[],
  caFile: string,
): AmandaError | undefined {
  const from = Date.parse(mine.validFrom);
  const to = Date.parse(mine.validTo);
  if (Date.now() < from || Date.now() > to) {
    return unusable(
      `Peers will refuse the certificate ${certFile}: it is valid from ${mine.validFrom} to ${mine.validTo} only.`,
    );
  }
  return isSignedBy(mine, authorities)
    ? undefined
    : unusable(
        `Peers that trust the CA of ${caFile} will refuse the certificate ${certFile}, which that CA has not signed.`,
      );
}

function certificatesIn(
  file: string,
  text: string,
): readonly [X509Certificate, ...X509Certificate[]] {
  try {
    const [first, ...more] = (
      text.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? []
    ).map((pem) => new X509Certificate(pem));
    if (first !== undefined) return [first, ...more];
  } catch (cause) {
    throw unusable(`The certificate in ${file} cannot be read: ${messageOf(cause)}.`, cause);
  }
  throw unusable(`There is no certificate (PEM) in ${file}.`);
}

function privateKeyIn(file: string, text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    throw unusable(
      `There is no private key in ${file} that can be used without a passphrase: ${messageOf(cause)}.`,
      cause,
    );
  }
}

function unusable(message: string, cause?: unknown): AmandaError {
  return new AmandaError('CERTIFICATE_UNUSABLE', message, { cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function emitWarning({ message, code }: AmandaError): void {
  process.emitWarning(message, { type: 'AmandaWarning', code });
}
