import type { KeyObject, X509Certificate } from 'node:crypto';
import { concern, fault, fine, type CheckOutcome } from '../check.js';

const DAY = 86_400_000;
/** A certificate with fewer days left is worth a warning. */
const SOON = 14;

/** Whether a certificate is valid now, and for how long. `what` begins a sentence in lower case. */
export function datesOf(
  certificate: Pick<X509Certificate, 'validFrom' | 'validTo'>,
  what: string,
  remedy: string,
): CheckOutcome {
  const from = Date.parse(certificate.validFrom);
  const to = Date.parse(certificate.validTo);
  const evidence = [`It is valid from ${certificate.validFrom} to ${certificate.validTo}`];
  const now = Date.now();
  if (now > to)
    return fault('certificate-expired', {
      message: `${capital(what)} expired ${days((now - to) / DAY)} ago.`,
      evidence,
      fix: `${remedy}, unless the clock of this host is wrong.`,
    });
  if (now < from)
    return fault('certificate-expired', {
      message: `${capital(what)} is not valid yet.`,
      evidence,
      fix: `Compare the clocks of both hosts; if they are right, ${remedy.toLowerCase()}.`,
    });
  const left = (to - now) / DAY;
  if (left < SOON)
    return concern('certificate-expiring', {
      message: `${capital(what)} expires in ${days(left)}.`,
      evidence,
      fix: `${remedy} before ${certificate.validTo}.`,
    });
  return fine(`${capital(what)} is valid for another ${days(left)}.`);
}

function days(number: number): string {
  const whole = Math.floor(number);
  return `${whole} day${whole === 1 ? '' : 's'}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The identifiers of signatures with SHA-1 and MD5, as bytes of a certificate. */
const weakSignatures: readonly (readonly [hex: string, name: string])[] = [
  ['06092a864886f70d010105', 'SHA-1'],
  ['06072a8648ce3d0401', 'SHA-1'],
  ['06092a864886f70d010104', 'MD5'],
];

/** The least bits of a key, by its kind. */
const leastBits: Readonly<Record<string, number>> = { rsa: 2048, dsa: 2048, ec: 224 };

/** Ciphers that OpenSSL has no more, or not by default. */
const WEAK_CIPHER = /NULL|EXPORT|_anon_|RC[24]|DES|IDEA|SEED|MD5/;

/**
 * Why OpenSSL refuses a certificate of a peer as too weak; undefined when it accepts it. `whose`
 * follows "of".
 */
export function weaknessOf(certificate: X509Certificate, whose: string): CheckOutcome | undefined {
  const key = weakKeyOf(certificate, `the certificate of ${whose}`);
  if (key !== undefined) return key;
  const hex = certificate.raw.toString('hex');
  const weak = weakSignatures.find(([identifier]) => hex.includes(identifier));
  return weak === undefined
    ? undefined
    : fault('certificate-weak', {
        message: `The certificate of ${whose} is signed with ${weak[1]}, which OpenSSL refuses.`,
        fix: `Have the CA sign the certificate of ${whose} anew, with SHA-256.`,
      });
}

/** The same for its key alone, as for a CA. `what` has an article. */
export function weakKeyOf({ publicKey }: X509Certificate, what: string): CheckOutcome | undefined {
  const kind = publicKey.asymmetricKeyType ?? '';
  const bits = bitsOf(publicKey);
  const least = leastBits[kind] ?? 0;
  if (bits === undefined || bits >= least) return undefined;
  return fault('certificate-weak', {
    message: `The key of ${what} has ${bits} bits (${kind}); OpenSSL refuses fewer than ${least}.`,
    fix: `Make a new key of ${least} bits or more for ${what}, and have it signed.`,
  });
}

/** Those of a modulus or of a curve; undefined for kinds of one strength. */
function bitsOf({ asymmetricKeyDetails: details }: KeyObject): number | undefined {
  if (details?.modulusLength !== undefined) return details.modulusLength;
  const named = /\d{3}/.exec(details?.namedCurve ?? '')?.[0];
  return named === undefined ? undefined : Number(named);
}

/** Whether key, signature, version and cipher are strong enough for OpenSSL as it is today. */
export function strengthOf(
  certificate: X509Certificate,
  { protocol, cipher }: { readonly protocol: string; readonly cipher: string },
  host: string,
): CheckOutcome {
  const weakness = weaknessOf(certificate, host);
  if (weakness !== undefined) return weakness;
  if (protocol === 'TLSv1' || protocol === 'TLSv1.1')
    return fault('tls-old', {
      message: `${host} speaks ${protocol} at most; 1.2 is the least that is safe.`,
      fix: `Install a newer OpenSSL or Amanda on ${host}.`,
    });
  if (WEAK_CIPHER.test(cipher))
    return fault('tls-old', {
      message: `${host} takes the cipher ${cipher} at best, which is too weak.`,
      fix: `Name better ciphers in ssl-cipher-list on ${host}, or install a newer OpenSSL there.`,
    });
  const { asymmetricKeyType: kind = 'unknown' } = certificate.publicKey;
  const bits = bitsOf(certificate.publicKey);
  return fine(
    `${protocol} with ${cipher}, and a key of ${bits === undefined ? kind : `${bits} bits (${kind})`}.`,
  );
}
