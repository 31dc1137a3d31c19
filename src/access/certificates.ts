import type { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { firstValueFrom, from } from 'rxjs';
import { AmandaError } from '../wire/errors.js';
import { printable } from '../wire/text.js';
import {
  DEFAULT_SSL_DIR,
  isSignedBy,
  readSmallFile,
  type OwnCertificates,
} from './certificate-files.js';
import { fitsFingerprints, parseFingerprints } from './fingerprints.js';
import { checkPeerName, type PeerNameOptions } from './peer.js';
import { systemNames } from './system-names.js';
import { refused } from './verdict.js';

/** What a peer's certificate must fulfil besides the CA's signature. */
export interface CertificateRules {
  /** The folder of `remote/NAME/fingerprint`. Default {@link DEFAULT_SSL_DIR}. */
  readonly sslDir?: string;
  /**
   * The one fingerprint file for all peers. Default: `remote/NAME/fingerprint` below `sslDir`; a
   * peer without that file is not checked.
   */
  readonly sslFingerprintFile?: string;
  /**
   * On a target: the name of the initiator's address must lead back to it, as over bsdtcp.
   * Default true.
   */
  readonly sslCheckHost?: boolean;
  /** The certificate's common name must lead to the peer's address. Default true. */
  readonly sslCheckCertificateHost?: boolean;
  /** The certificate must fit the fingerprint file. Default true. */
  readonly sslCheckFingerprint?: boolean;
  /**
   * Makes every check above, whatever the options say. A fingerprint must be on file, and on an
   * initiator the common name must be the host asked for. Default false.
   */
  readonly strict?: boolean;
  /** How to look up names. */
  readonly names?: PeerNameOptions;
}

/** A certificate with a valid chain to the CA, and the peer that sent it. */
export interface PresentedCertificate {
  readonly certificate: X509Certificate;
  /** Numeric. */
  readonly address: string;
  readonly port: number | undefined;
  /** On an initiator: the host to connect to. */
  readonly host?: string;
}

/**
 * Checks a peer's certificate, and resolves to its common name.
 *
 * Rejects with `CERTIFICATE_DEPTH`, `CERTIFICATE_HOST`, `ACCESS_DENIED` (`sslCheckHost`),
 * `CERTIFICATE_FINGERPRINT`, or `FILE_FAILED` for an unreadable fingerprint file.
 * Source: PROTOCOL.md, "Drivers".
 */
export async function checkCertificate(
  presented: PresentedCertificate,
  { authorities, caFile }: Pick<OwnCertificates, 'authorities' | 'caFile'>,
  rules: CertificateRules,
): Promise<string> {
  const { certificate, host } = presented;
  if (!isSignedBy(certificate, authorities)) {
    throw new AmandaError(
      'CERTIFICATE_DEPTH',
      `The certificate for ${shown(certificate)} is not signed by a CA of ${caFile} itself but by an authority below it (${printable(certificate.issuer)}).`,
    );
  }
  const { strict = false } = rules;
  const commonName = commonNameOf(certificate);
  if (strict && host !== undefined) checkIsHost(commonName, host);
  if (host === undefined && (strict || rules.sslCheckHost !== false))
    await checkHost(presented, rules);
  if (strict || rules.sslCheckCertificateHost !== false)
    await checkCommonName(commonName, presented, rules);
  if (strict || rules.sslCheckFingerprint !== false)
    await checkFingerprints(commonName, presented, rules);
  return commonName;
}

/**
 * A name that is safe in a path, in a log and in `.amandahosts`: letters, digits, `.`, `_`, `-` and
 * `:`, not only dots. The common name comes from the network.
 */
const safeName = /^(?![.]+$)(?!-)[A-Za-z0-9._:-]{1,253}$/;

function commonNameOf(certificate: X509Certificate): string {
  // Several names are an array, though the types say string.
  const names: unknown = certificate.toLegacyObject().subject?.CN;
  if (typeof names === 'string' && safeName.test(names)) return names;
  const problem =
    names === undefined ? 'has no common name' : 'has a common name that no host can have';
  throw new AmandaError(
    'CERTIFICATE_HOST',
    `The certificate for ${shown(certificate)} ${problem}; it must be the host's name.`,
  );
}

function shown({ subject }: X509Certificate): string {
  return `"${printable(subject ?? '')}"`;
}

const noAnswer = refused('the resolver gave no answer');

async function checkHost(
  { address, port }: PresentedCertificate,
  { names }: CertificateRules,
): Promise<void> {
  const verdict = await firstValueFrom(checkPeerName({ address, port }, names), {
    defaultValue: noAnswer,
  });
  if (verdict.kind === 'refused')
    throw new AmandaError(
      'ACCESS_DENIED',
      `The name of the peer's address ${address} does not lead back to it (ssl-check-host): ${verdict.shown}.`,
    );
}

function checkIsHost(commonName: string, host: string): void {
  if (nameOnly(commonName) === nameOnly(host)) return;
  throw new AmandaError(
    'CERTIFICATE_HOST',
    `The certificate is for ${commonName}, not for ${printable(host)}, the host asked for (strict). Ask for ${commonName}, or give the host a certificate with its name.`,
  );
}

/** The case does not count, nor does the dot that ends a full name. */
function nameOnly(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

async function checkCommonName(
  commonName: string,
  { address, port }: PresentedCertificate,
  { names }: CertificateRules,
): Promise<void> {
  const { resolver = systemNames } = names ?? {};
  // The check of an address's name, with the common name as that name.
  const claimed = {
    nameOf: () => [commonName],
    addressesOf: (name: string, family: 0 | 4) => resolver.addressesOf(name, family),
    canonicalOf: (name: string, family: 0 | 4) => resolver.canonicalOf(name, family),
  };
  const verdict = await firstValueFrom(
    checkPeerName({ address, port }, { ...names, resolver: claimed }),
    { defaultValue: noAnswer },
  );
  if (verdict.kind === 'refused') {
    throw new AmandaError(
      'CERTIFICATE_HOST',
      `The certificate's common name ${commonName} does not lead to the peer's address ${address}: ${verdict.shown}. Give it that address in DNS or /etc/hosts, or set ssl-check-certificate-host to no.`,
    );
  }
}

async function checkFingerprints(
  commonName: string,
  { certificate, host }: PresentedCertificate,
  rules: CertificateRules,
): Promise<void> {
  const { sslFingerprintFile, sslDir, strict = false } = rules;
  if (sslFingerprintFile) {
    checkFile(sslFingerprintFile, certificate, false);
    return;
  }
  // Amanda takes the host's name as an initiator, and the common name as a target. The case matters
  // for files, though not for names.
  const names =
    host === undefined ? [commonName] : [commonName, host, await canonicalName(host, rules)];
  const fileOf = (name: string): string =>
    join(sslDir || DEFAULT_SSL_DIR, 'remote', name, 'fingerprint');
  let isPinned = false;
  for (const name of new Set(names.flatMap((one) => [one, one.toLowerCase()]))) {
    if (isPathPart(name) && checkFile(fileOf(name), certificate, true)) isPinned = true;
  }
  if (strict && !isPinned)
    throw new AmandaError(
      'CERTIFICATE_FINGERPRINT',
      `No fingerprint is on file for ${commonName} (strict). Compare this one with the peer's, then put it in ${fileOf(commonName)}: ${sha1Line(certificate)}`,
    );
}

function sha1Line({ fingerprint }: X509Certificate): string {
  return `SHA1 Fingerprint=${fingerprint}`;
}

function isPathPart(name: string): boolean {
  return !/[/\0]/.test(name) && !/^[.]*$/.test(name);
}

async function canonicalName(host: string, { names }: CertificateRules): Promise<string> {
  const { resolver = systemNames } = names ?? {};
  try {
    return (
      (await firstValueFrom(from(resolver.canonicalOf(host, 0)), { defaultValue: host })) ?? host
    );
  } catch {
    return host;
  }
}

/** Whether there is such a file. */
function checkFile(file: string, certificate: X509Certificate, mayBeMissing: boolean): boolean {
  let text: string;
  try {
    ({ text } = readSmallFile(file));
  } catch (error) {
    if (mayBeMissing && error instanceof AmandaError && isMissing(error.cause)) return false;
    throw error;
  }
  if (fitsFingerprints(parseFingerprints(text), certificate)) return true;
  const line = sha1Line(certificate);
  throw new AmandaError(
    'CERTIFICATE_FINGERPRINT',
    fitsFingerprints(parseFingerprints(tidied(text)), certificate)
      ? `${file} has the fingerprint of the certificate for ${shown(certificate)}, but not as Amanda reads it. Amanda takes capitals, with nothing before or after them, not even a CR. Write it so: ${line}`
      : `The certificate for ${shown(certificate)} is not the one on file in ${file}. If it was renewed, put the new fingerprint there: ${line}`,
  );
}

/** The intended lines of a file that was typed, or comes from Windows. */
function tidied(text: string): string {
  return text
    .split('\n')
    .map((line) =>
      line
        // A byte order mark is a blank, too.
        .trim()
        .toUpperCase()
        .replace(/\s*=\s*/, '='),
    )
    .join('\n');
}

function isMissing(cause: unknown): boolean {
  const { code } = (cause ?? {}) as { readonly code?: string };
  return code === 'ENOENT' || code === 'ENOTDIR';
}
