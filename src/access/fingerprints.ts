import { createHash, type X509Certificate } from 'node:crypto';

/**
 * The fingerprints on file for a peer, as `openssl x509 -fingerprint` prints them: `AA:BB:…` by
 * algorithm.
 */
export interface Fingerprints {
  /** MD5 and SHA-1, which Amanda reads. */
  readonly weak: readonly Fingerprint[];
  /** SHA-256, which Amanda does not read. */
  readonly strong: readonly Fingerprint[];
}

interface Fingerprint {
  readonly algorithm: Algorithm;
  readonly value: string;
}

const algorithms = ['md5', 'sha1', 'sha256'] as const;
type Algorithm = (typeof algorithms)[number];

/**
 * Reads a fingerprint file: lines of `MD5 Fingerprint=`, `SHA1 Fingerprint=` or `SHA256
 * Fingerprint=`, in any case, and others, which are ignored. The text after the `=` counts as it
 * is, with a blank or a CR. Source: PROTOCOL.md, "Drivers".
 */
export function parseFingerprints(text: string): Fingerprints {
  const all = text
    .split('\n')
    .flatMap((line) => algorithms.flatMap((algorithm) => fingerprintOn(line, algorithm)));
  return {
    weak: all.filter(({ algorithm }) => algorithm !== 'sha256'),
    strong: all.filter(({ algorithm }) => algorithm === 'sha256'),
  };
}

function fingerprintOn(line: string, algorithm: Algorithm): readonly Fingerprint[] {
  const start = `${algorithm} fingerprint=`;
  return line.slice(0, start.length).toLowerCase() === start
    ? [{ algorithm, value: line.slice(start.length) }]
    : [];
}

/**
 * Whether a certificate is the one on file. It must fit one of the MD5 and SHA1 lines, and one of
 * the SHA256 lines, as far as there are such lines. Without any line no certificate fits.
 *
 *     file           Amanda        ours
 *     SHA1           by SHA1       by SHA1
 *     SHA1, SHA256   by SHA1       by both: a SHA256 line can only refuse more
 *     SHA256         refuses all   by SHA256
 *     sha1           refuses all   by SHA1; OpenSSL 3 prints it in small letters
 *
 * So a certificate that Amanda refuses by its MD5 and SHA1 lines is never accepted here.
 */
export function fitsFingerprints(
  { weak, strong }: Fingerprints,
  certificate: Pick<X509Certificate, 'raw'>,
): boolean {
  if (weak.length + strong.length === 0) return false;
  return [weak, strong].every(
    (lines) =>
      lines.length === 0 ||
      lines.some(({ algorithm, value }) => value === fingerprintOf(certificate, algorithm)),
  );
}

function fingerprintOf({ raw }: Pick<X509Certificate, 'raw'>, algorithm: Algorithm): string {
  const digits = createHash(algorithm).update(raw).digest('hex').toUpperCase();
  return digits.replace(/..(?=.)/g, '$&:');
}
