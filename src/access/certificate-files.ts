import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { AmandaError } from '../wire/errors.js';
import { messageOf } from '../wire/text.js';
import { readRegularFile } from './regular-file.js';

/**
 * The files of a side's certificate, its key and the CA's certificate. An empty name means none.
 */
export interface CertificateFiles {
  /**
   * The folder of `CA/crt.pem`, `me/crt.pem`, `me/private/key.pem` and `remote/NAME/fingerprint`.
   * Default {@link DEFAULT_SSL_DIR}.
   */
  readonly sslDir?: string;
  /** This side's certificate; default `me/crt.pem` below `sslDir`. */
  readonly sslCertFile?: string;
  /** Its private key; default `me/private/key.pem` below `sslDir`. */
  readonly sslKeyFile?: string;
  /** The CA certificates that sign those of peers; default `CA/crt.pem` below `sslDir`. */
  readonly sslCaCertFile?: string;
  /** Refuse a key that others can read, with `KEY_UNSAFE`; default: only warn. */
  readonly insistOnSafeKey?: boolean;
  /**
   * Receives what works but should not stay so: `KEY_UNSAFE`, `CERTIFICATE_UNUSABLE`. Default:
   * `process.emitWarning`.
   */
  readonly onWarning?: (warning: AmandaError) => void;
}

/** The default folder of the files. */
export const DEFAULT_SSL_DIR = '/etc/amanda/ssl';

/** This side's part of a TLS handshake; the key fits the certificate. */
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
 * Throws `FILE_FAILED` for an unreadable file, and `KEY_UNSAFE`. Throws `CERTIFICATE_UNUSABLE` for
 * other content, or content that does not fit the other files. Each error names the file.
 * Source: PROTOCOL.md, "Drivers".
 */
export function readCertificates(options: CertificateFiles): OwnCertificates {
  const { insistOnSafeKey = false, onWarning = emitWarning } = options;
  const { certFile, keyFile, caFile } = certificatePaths(options);
  const cert = readSmallFile(certFile);
  const key = readSmallFile(keyFile);
  const ca = readSmallFile(caFile);
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

/** Where the files are. */
export function certificatePaths({
  sslDir,
  sslCertFile,
  sslKeyFile,
  sslCaCertFile,
}: CertificateFiles): Record<'certFile' | 'keyFile' | 'caFile', string> {
  const below = (...names: readonly string[]): string => join(sslDir || DEFAULT_SSL_DIR, ...names);
  return {
    certFile: sslCertFile || below('me', 'crt.pem'),
    keyFile: sslKeyFile || below('me', 'private', 'key.pem'),
    caFile: sslCaCertFile || below('CA', 'crt.pem'),
  };
}

/** Whether one of the authorities has signed a certificate directly. */
export function isSignedBy(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
): boolean {
  return authorities.some((authority) => {
    try {
      return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
    } catch {
      // Node does not know this kind of key.
      return false;
    }
  });
}

/** Bytes; certificates, keys and fingerprints are a few thousand. */
const MAX_FILE_BYTES = 1_048_576;

/** Reads a whole file of at most 1 MiB. Throws `FILE_FAILED`. */
export function readSmallFile(path: string): { readonly text: string; readonly stat: Stats } {
  try {
    const { bytes, stat } = readRegularFile(path, MAX_FILE_BYTES);
    return { text: bytes.toString('utf8'), stat };
  } catch (cause) {
    throw new AmandaError('FILE_FAILED', `Cannot read ${path}: ${messageOf(cause)}.`, { cause });
  }
}

/**
 * Only the owner may read a key, and for root's key the group too: Amanda reads it as that group.
 */
function whyUnsafe(keyFile: string, { mode, uid }: Stats): AmandaError | undefined {
  const forbidden = uid === 0 ? 0o037 : 0o077;
  if ((mode & forbidden) === 0) return undefined;
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  return new AmandaError(
    'KEY_UNSAFE',
    `Other users have access to the private key ${keyFile} (mode ${octal}), and so can pass for this host. Run chmod 600 ${keyFile}.`,
  );
}

/** Why peers will refuse a certificate; real Amanda refuses silently. */
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

/** The default of `onWarning`. */
export function emitWarning({ message, code }: AmandaError): void {
  process.emitWarning(message, { type: 'AmandaWarning', code });
}
