import {
  chmodSync,
  copyFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { CertificateCache } from '../../src/access/certificate-cache.js';
import { openCertificates } from '../support/certificates.js';

const made = openCertificates();
const ca = made.authority('ca');
const [first, second] = [made.signed('first', ca), made.signed('second', ca)];
afterAll(() => made.close());

let folders = 0;
let sslDir: string;
let certFile: string;
let keyFile: string;
let reads: number;
let warnings: string[];
let cache: CertificateCache<number>;
beforeEach(() => {
  sslDir = made.sslDir(`cached-${(folders += 1)}`, ca, first);
  certFile = join(sslDir, 'me/crt.pem');
  keyFile = join(sslDir, 'me/private/key.pem');
  reads = 0;
  warnings = [];
  const options = { sslDir, onWarning: ({ code }: { code: string }) => warnings.push(code) };
  cache = new CertificateCache(options, () => (reads += 1));
});

/** Reads until the files are old enough for their times to be trusted. */
async function settled(): Promise<void> {
  await expect.poll(() => cache.read() === cache.read()).toBe(true);
  reads = 0;
}

describe('certificates are read', () => {
  test('once for any number of connections', async () => {
    await settled();
    const all = Array.from({ length: 100 }, () => cache.read());
    expect(new Set(all).size).toBe(1);
    expect(reads).toBe(0);
  });

  test.each<readonly [string, () => void]>([
    [
      'are written in place',
      () => {
        copyFileSync(second.cert, certFile);
        copyFileSync(second.key, keyFile);
      },
    ],
    [
      'are replaced, with the times of the old ones',
      () => {
        for (const [from, to] of [
          [second.cert, certFile],
          [second.key, keyFile],
        ] as const) {
          copyFileSync(from, `${to}.new`);
          utimesSync(`${to}.new`, 1, 1);
          renameSync(`${to}.new`, to);
        }
      },
    ],
  ])('again, and at once, when they %s', async (_how, renew) => {
    await settled();
    const before = cache.read().own.cert;
    renew();
    expect(cache.read().own.cert).not.toBe(before);
    expect(reads).toBe(1);
  });

  test('again when others may read the key from now on, with one warning', async () => {
    await settled();
    expect(warnings).toEqual([]);
    chmodSync(keyFile, 0o644);
    await settled();
    expect(warnings).toEqual(['KEY_UNSAFE']);
  });

  test('again after a failure', async () => {
    await settled();
    writeFileSync(certFile, 'no certificate');
    expect(() => cache.read()).toThrow(expect.objectContaining({ code: 'CERTIFICATE_UNUSABLE' }));
    copyFileSync(first.cert, certFile);
    expect(cache.read().own.certFile).toBe(certFile);
  });

  test('again each time while the last change is so young that the next may leave its time', async () => {
    await settled();
    chmodSync(keyFile, 0o400);
    const { ctimeMs } = statSync(keyFile);
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(Math.floor(ctimeMs) + 99);
    expect(cache.read()).not.toBe(cache.read());
    vi.setSystemTime(Math.ceil(ctimeMs) + 100);
    expect(cache.read()).toBe(cache.read());
    vi.useRealTimers();
    expect(reads).toBe(3);
  });

  test('each time when one is missing, and that is an error', async () => {
    await settled();
    rmSync(certFile);
    const missing = expect.objectContaining({ code: 'FILE_FAILED' }) as unknown;
    expect(() => cache.read()).toThrow(missing);
    expect(() => cache.read()).toThrow(missing);
  });
});
