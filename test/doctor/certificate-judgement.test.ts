import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datesOf, strengthOf } from '../../src/doctor/checks/certificate-judgement.js';

const session = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rx-amanda-judged-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A certificate that openssl makes with these words. */
function made(...words: readonly string[]): X509Certificate {
  const file = join(folder, 'crt.pem');
  const key = join(folder, 'key.pem');
  const fixed = ['req', '-x509', '-nodes', '-subj', '/CN=one', '-keyout', key, '-out', file];
  execFileSync('openssl', [...fixed, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
  return new X509Certificate(readFileSync(file));
}

describe('strengthOf', () => {
  it.each([
    ['rsa:1024', '-sha256', 'certificate-weak', /1024 bits/],
    ['rsa:2048', '-sha1', 'certificate-weak', /SHA-1/],
    ['rsa:2048', '-sha256', undefined, /2048 bits/],
  ] as const)('judges a key %s with %s', (key, hash, kind, says) => {
    const outcome = strengthOf(made('-newkey', key, hash), session, 'one.lab');
    expect(outcome.kind).toBe(kind);
    expect(outcome.message).toMatch(says);
  });

  it('judges an elliptic key and an old version', () => {
    const elliptic = made('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-sha256');
    expect(strengthOf(elliptic, session, 'one.lab').status).toBe('ok');
    const old = strengthOf(elliptic, { ...session, protocol: 'TLSv1.1' }, 'one.lab');
    expect(old.kind).toBe('tls-old');
  });

  it('judges a short curve', () => {
    const short = made('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp160r1', '-sha256');
    const outcome = strengthOf(short, session, 'one.lab');
    expect(outcome.kind).toBe('certificate-weak');
    expect(outcome.message).toMatch(/160 bits \(ec\)/);
  });

  it.each(['TLS_RSA_WITH_3DES_EDE_CBC_SHA', 'TLS_ECDH_anon_WITH_AES_128_CBC_SHA'])(
    'judges the cipher %s as weak',
    (cipher) => {
      const outcome = strengthOf(made('-newkey', 'rsa:2048'), { ...session, cipher }, 'one.lab');
      expect(outcome.kind).toBe('tls-old');
      expect(outcome.message).toContain(cipher);
    },
  );
});

describe('datesOf', () => {
  const DAY = 86_400_000;
  const day = (number: number): string => new Date(Date.now() + number * DAY).toUTCString();

  it.each([
    [-10, -1.5, 'certificate-expired', /^The certificate expired 1 day ago/],
    [1, 10, 'certificate-expired', /not valid yet/],
    [-10, 5.5, 'certificate-expiring', /expires in 5 days/],
    [-10, 29.5, undefined, /valid for another 29 days/],
  ] as const)('judges one that is valid from day %s to day %s', (from, to, kind, says) => {
    const outcome = datesOf(
      { validFrom: day(from), validTo: day(to) },
      'the certificate',
      'Renew it',
    );
    expect(outcome.kind).toBe(kind);
    expect(outcome.message).toMatch(says);
  });
});
