import { X509Certificate } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { throwError } from 'rxjs';
import { afterAll, describe, expect, it, vi } from 'vitest';
import {
  certificatePaths,
  isSignedBy,
  readCertificates,
  readSmallFile,
} from '../../src/access/certificate-files.js';
import {
  checkCertificate,
  type CertificateRules,
  type PresentedCertificate,
} from '../../src/access/certificates.js';
import { fitsFingerprints, parseFingerprints } from '../../src/access/fingerprints.js';
import type { NameResolver } from '../../src/access/resolver.js';
import { AmandaError } from '../../src/wire/errors.js';
import { fingerprint, openCertificates, pin } from '../support/certificates.js';

const made = openCertificates();
afterAll(() => made.close());
const ca = made.authority('ca');
const other = made.authority('other');
const middle = made.signed('middle', ca, { commonName: 'middle', isAuthority: true });
const me = made.signed('me', ca, { commonName: 'one.lab' });
const leaf = made.signed('leaf', middle, { commonName: 'one.lab' });

function x509(file: string): X509Certificate {
  return new X509Certificate(readFileSync(file));
}

function refusal(code: string, message: RegExp): unknown {
  return expect.objectContaining({ code, message: expect.stringMatching(message) as string });
}

let folders = 0;
function freshDir(identity = me): string {
  folders += 1;
  return made.sslDir(`dir-${folders}`, ca, identity);
}

describe('a file beside certificates', () => {
  it('is read up to 1 MiB, and no further', () => {
    const file = join(made.directory, 'large');
    writeFileSync(file, 'x'.repeat(1_048_576));
    expect(readSmallFile(file).text).toHaveLength(1_048_576);
    writeFileSync(file, 'x', { flag: 'a' });
    expect(() => readSmallFile(file)).toThrow(refusal('FILE_FAILED', /over 1048576 bytes/));
    expect(() => readSmallFile('/dev/zero')).toThrow(refusal('FILE_FAILED', /no regular file/));
  });
});

describe('a fingerprint file', () => {
  const certificate = x509(me.cert);
  const md5 = fingerprint(me.cert, 'md5').replace(/^.*=/, 'MD5 Fingerprint=');
  const sha1 = fingerprint(me.cert, 'sha1').replace(/^.*=/, 'SHA1 Fingerprint=');
  const sha256 = fingerprint(me.cert, 'sha256').replace(/^.*=/, 'SHA256 Fingerprint=');
  const foreign = (algorithm: 'md5' | 'sha1' | 'sha256'): string =>
    fingerprint(leaf.cert, algorithm);

  it.each([
    ['as openssl prints it by itself', fingerprint(me.cert), true],
    ['as openssl prints it when told which', fingerprint(me.cert, 'sha1'), true],
    ['MD5', md5, true],
    ['SHA1 without a line end', sha1.trimEnd(), true],
    ['SHA256, which Amanda cannot read', sha256, true],
    ['among others', `old one\n${foreign('sha1')}${sha1}`, true],
    ['MD5 of another, SHA1 of this: one is enough', foreign('md5') + sha1, true],
    ['all three', md5 + sha1 + sha256, true],
    ['SHA1 and SHA256', sha1 + sha256, true],
    ['in a line with more before it', `x${sha1}`, false],
    ['of another', foreign('sha1'), false],
    ['SHA256 of this does not overrule a SHA1 of another', foreign('sha1') + sha256, false],
    ['SHA1 of this does not overrule a SHA256 of another', sha1 + foreign('sha256'), false],
    ['with a CR', sha1.replace('\n', '\r\n'), false],
    ['with a CR beside a good SHA256', sha1.replace('\n', '\r\n') + sha256, false],
    ['in small letters', sha1.toLowerCase(), false],
    ['after a blank', ` ${sha1}`, false],
    ['of half the length', sha1.slice(0, 46), false],
    ['SHA1 that is called MD5', sha1.replace('SHA1', 'MD5'), false],
    ['with nothing in it', '', false],
    ['with nothing that is one', 'yes\nSHA512 Fingerprint=AA\n', false],
  ])('%s', (_name, text, fits) => {
    expect(fitsFingerprints(parseFingerprints(text), certificate)).toBe(fits);
  });
});

describe('the files of a side', () => {
  it('are found below the folder, and each can be elsewhere', async () => {
    const dir = freshDir();
    const own = readCertificates({ sslDir: dir });
    expect(own).toMatchObject({
      certFile: join(dir, 'me/crt.pem'),
      caFile: join(dir, 'CA/crt.pem'),
    });
    const apart = readCertificates({
      sslDir: '/nowhere',
      sslCertFile: me.cert,
      sslKeyFile: me.key,
      sslCaCertFile: ca.cert,
    });
    expect(apart.cert).toBe(own.cert);
    expect(certificatePaths({})).toEqual({
      certFile: '/etc/amanda/ssl/me/crt.pem',
      keyFile: '/etc/amanda/ssl/me/private/key.pem',
      caFile: '/etc/amanda/ssl/CA/crt.pem',
    });
  });

  it.each([
    ['certificate', 'sslCertFile'],
    ['key', 'sslKeyFile'],
    ['CA', 'sslCaCertFile'],
  ])('without a %s are refused, by name', async (_what, option) => {
    const sslDir = freshDir();
    const file = join(sslDir, 'gone');
    expect(() => readCertificates({ sslDir, [option]: file })).toThrow(
      refusal('FILE_FAILED', new RegExp(file)),
    );
  });

  it.each([
    ['a certificate that is none', 'me/crt.pem', 'nothing', /There is no certificate/, false],
    [
      'a broken certificate',
      'CA/crt.pem',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      /cannot be read/,
      true,
    ],
    ['a key that is none', 'me/private/key.pem', 'nothing', /There is no private key/, true],
    [
      'the key of another',
      'me/private/key.pem',
      readFileSync(leaf.key, 'utf8'),
      /is not the one of the certificate/,
      false,
    ],
  ])('with %s are refused, by name', async (_what, name, text, why, hasCause) => {
    const sslDir = freshDir();
    const file = join(sslDir, name);
    writeFileSync(file, text);
    expect(() => readCertificates({ sslDir })).toThrow(refusal('CERTIFICATE_UNUSABLE', why));
    expect(() => readCertificates({ sslDir })).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(file) as string,
        ...(hasCause ? { cause: expect.any(Error) as unknown } : {}),
      }),
    );
  });

  it('with a key that others can read: warn, or refuse when told to insist', async () => {
    const dir = freshDir();
    const key = join(dir, 'me/private/key.pem');
    chmodSync(key, 0o644);
    const onWarning = vi.fn<(warning: AmandaError) => void>();
    readCertificates({ sslDir: dir, onWarning });
    expect(onWarning.mock.calls.map(([{ code, message }]) => [code, message])).toEqual([
      ['KEY_UNSAFE', expect.stringMatching(/\(mode 0644\).*chmod 600/)],
    ]);
    expect(() => readCertificates({ sslDir: dir, insistOnSafeKey: true })).toThrow(
      expect.objectContaining({
        code: 'KEY_UNSAFE',
        message: expect.stringContaining(key) as string,
      }),
    );
    chmodSync(key, 0o600);
    readCertificates({ sslDir: dir, insistOnSafeKey: true });
  });

  it('with a key that its group may read are warned of, unless the key is root’s', async () => {
    const isRoot = process.getuid?.() === 0;
    const sslDir = freshDir();
    const key = join(sslDir, 'me/private/key.pem');
    chmodSync(key, 0o640);
    const onWarning = vi.fn();
    readCertificates({ sslDir, onWarning });
    expect(onWarning).toHaveBeenCalledTimes(isRoot ? 0 : 1);
    if (isRoot) chownSync(key, 34, 34);
    readCertificates({ sslDir, onWarning });
    expect(onWarning).toHaveBeenCalledTimes(isRoot ? 1 : 2);
  });

  it('are warned of before and after the time for which they are valid', async () => {
    const sslDir = freshDir();
    const { validFrom, validTo } = x509(me.cert);
    const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
    vi.useFakeTimers({ toFake: ['Date'] });
    const warnings: unknown[] = [];
    for (const now of [from - 1, from, to, to + 1]) {
      vi.setSystemTime(now);
      readCertificates({ sslDir, onWarning: (warning) => warnings.push([now, warning]) });
    }
    vi.useRealTimers();
    const warning = refusal('CERTIFICATE_UNUSABLE', /it is valid from .* only/);
    expect(warnings).toEqual([
      [from - 1, warning],
      [to + 1, warning],
    ]);
  });

  it('that no peer will take are warned of', async () => {
    const onWarning = vi.fn<(warning: AmandaError) => void>();
    readCertificates({ sslDir: freshDir(made.signed('foreign', other)), onWarning });
    readCertificates({ sslDir: freshDir(leaf), onWarning });
    expect(onWarning.mock.calls.map(([{ code, message }]) => [code, message])).toEqual([
      ['CERTIFICATE_UNUSABLE', expect.stringMatching(/that CA has not signed/)],
      ['CERTIFICATE_UNUSABLE', expect.stringMatching(/that CA has not signed/)],
    ]);
  });

  it('warn through the process when no function is given', async () => {
    const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    readCertificates({ sslDir: freshDir(leaf) });
    expect(emit.mock.calls).toEqual([
      [
        expect.stringMatching(/will refuse/),
        { type: 'AmandaWarning', code: 'CERTIFICATE_UNUSABLE' },
      ],
    ]);
    emit.mockRestore();
  });
});

describe('a certificate that a peer shows', () => {
  const authorities = [x509(ca.cert)];
  const resolver: NameResolver = {
    nameOf: () => ['one.lab'],
    addressesOf: (name) => [
      name === 'one.lab' || name === 'alias.lab' ? ['10.0.0.1'] : ['10.0.0.2'],
    ],
    canonicalOf: (name) => [name === 'alias.lab' ? 'one.lab' : name],
  };
  const dir = freshDir();
  const sha1Line = fingerprint(me.cert).trim().replace(/^sha1/, 'SHA1');

  function check(
    cert: string,
    rules: CertificateRules = {},
    from: Partial<PresentedCertificate> = {},
  ): Promise<string> {
    const presented = { certificate: x509(cert), address: '10.0.0.1', port: 4711, ...from };
    return checkCertificate(
      presented,
      { authorities, caFile: 'CA.pem' },
      { sslDir: dir, names: { resolver }, ...rules },
    );
  }

  it('gives its common name when all is well', async () => {
    expect(await check(me.cert)).toBe('one.lab');
    expect(await check(me.cert, {}, { host: 'alias.lab' })).toBe('one.lab');
    expect(await check(me.cert, {}, { address: '::ffff:10.0.0.1' })).toBe('one.lab');
  });

  it('must be signed by the CA itself', async () => {
    await expect(check(leaf.cert)).rejects.toEqual(refusal('CERTIFICATE_DEPTH', /CA\.pem.*middle/));
    expect(isSignedBy(x509(leaf.cert), [x509(middle.cert)])).toBe(true);
  });

  it('must be signed by one of several CAs', () => {
    expect(isSignedBy(x509(me.cert), [x509(other.cert), x509(ca.cert)])).toBe(true);
    expect(isSignedBy(x509(me.cert), [])).toBe(false);
  });

  it.each([
    ['names the CA and has its signature', true, () => true, true],
    ['names the CA alone', true, () => false, false],
    ['has the signature alone', false, () => true, false],
    [
      'has a key of an unknown kind',
      true,
      () => {
        throw new Error('unsupported');
      },
      false,
    ],
  ])('which %s is signed by it: %s', (_what, isNamed, verify, isSigned) => {
    const certificate = { checkIssued: () => isNamed, verify } as unknown as X509Certificate;
    expect(isSignedBy(certificate, authorities)).toBe(isSigned);
  });

  it('must not only name the CA, but be signed by it', () => {
    const namesake = openCertificates();
    const forged = namesake.signed('forged', namesake.authority('ca'), { commonName: 'one.lab' });
    expect(isSignedBy(x509(forged.cert), authorities)).toBe(false);
    namesake.close();
  });

  it.each(
    ['..', '.', 'a/b', '../../etc', 'two words', '-rf', 'a\nb', 'käse', '*'].map(
      (name, at) => [name, at] as const,
    ),
  )('is refused for the common name %j, whatever is checked', async (commonName, at) => {
    const { cert } = made.signed(`bad-${at}`, ca, {
      commonName: commonName.replaceAll('/', '\\/'),
    });
    const none = {
      sslCheckHost: false,
      sslCheckCertificateHost: false,
      sslCheckFingerprint: false,
    };
    await expect(check(cert, none)).rejects.toEqual(
      refusal('CERTIFICATE_HOST', /no host can have/),
    );
  });

  it('may have a common name that begins with a dot', async () => {
    const { cert } = made.signed('dotted', ca, { commonName: '.lab' });
    expect(await check(cert, { sslCheckCertificateHost: false })).toBe('.lab');
  });

  it('is refused without a subject', async () => {
    const { cert } = made.signed('empty', ca, { subject: '/' });
    await expect(check(cert)).rejects.toEqual(
      refusal('CERTIFICATE_HOST', /for "" has no common name/),
    );
  });

  it('is refused without a common name', async () => {
    await expect(check(made.signed('nameless', ca, { commonName: '' }).cert)).rejects.toEqual(
      refusal('CERTIFICATE_HOST', /nameless.*no common name/),
    );
  });

  it('must have the name of where it comes from, unless told not to care', async () => {
    const { cert } = made.signed('two', ca, { commonName: 'two.lab' });
    await expect(check(cert)).rejects.toEqual(
      refusal('CERTIFICATE_HOST', /two\.lab.*10\.0\.0\.1.*doesn't resolve to 10\.0\.0\.1:4711/),
    );
    expect(await check(cert, { sslCheckCertificateHost: false })).toBe('two.lab');
    const alias = made.signed('alias', ca, { commonName: 'alias.lab' });
    await expect(check(alias.cert)).rejects.toEqual(
      refusal('CERTIFICATE_HOST', /alias\.lab doesn't resolve to itself/),
    );
  });

  it('is of no use to an initiator whose name does not lead back to it, unless told not to care', async () => {
    const names = { resolver: { ...resolver, nameOf: () => ['alias.lab'] } };
    await expect(check(me.cert, { names })).rejects.toEqual(refusal('ACCESS_DENIED', /alias\.lab/));
    expect(await check(me.cert, { names, sslCheckHost: false })).toBe('one.lab');
    expect(await check(me.cert, { names }, { host: 'one.lab' })).toBe('one.lab');
  });

  it('must be the one on file, where one is', async () => {
    const sslDir = freshDir();
    const file = pin(sslDir, 'one.lab', fingerprint(leaf.cert));
    await expect(check(me.cert, { sslDir })).rejects.toEqual(
      refusal('CERTIFICATE_FINGERPRINT', new RegExp(`${file}.*: ${sha1Line}$`)),
    );
    expect(await check(me.cert, { sslDir, sslCheckFingerprint: false })).toBe('one.lab');
    writeFileSync(file, fingerprint(me.cert));
    expect(await check(me.cert, { sslDir })).toBe('one.lab');
  });

  it('must be the one on file for the host that an initiator asked for, and for what that is an alias of', async () => {
    for (const pinned of ['alias.lab', 'one.lab']) {
      const sslDir = freshDir();
      const file = pin(sslDir, pinned, fingerprint(leaf.cert));
      const two = made.signed(`two-${pinned}`, ca, { commonName: 'two.lab' });
      const rules = { sslDir, sslCheckCertificateHost: false };
      await expect(check(two.cert, rules, { host: 'alias.lab' })).rejects.toEqual(
        refusal('CERTIFICATE_FINGERPRINT', new RegExp(file)),
      );
    }
  });

  it('must be the one on file for the host that an initiator asked for, whatever the resolver says', async () => {
    const { cert } = made.signed('two-unknown', ca, { commonName: 'two.lab' });
    const sslDir = freshDir();
    const file = pin(sslDir, 'alias.lab', fingerprint(leaf.cert));
    for (const canonicalOf of [
      () => throwError(() => new Error('no answer')),
      () => [],
      () => [undefined],
    ]) {
      const names = { resolver: { ...resolver, canonicalOf } };
      const rules = { sslDir, names, sslCheckCertificateHost: false };
      await expect(check(cert, rules, { host: 'alias.lab' })).rejects.toEqual(
        refusal('CERTIFICATE_FINGERPRINT', new RegExp(file)),
      );
    }
  });

  it.each(['..', '.', 'a/b', ''])('is looked for in no file of the host %j', async (host) => {
    const sslDir = freshDir();
    pin(sslDir, host, fingerprint(leaf.cert));
    const rules = { sslDir, sslCheckCertificateHost: false };
    expect(await check(me.cert, rules, { host })).toBe('one.lab');
  });

  it('needs no fingerprint when a file is in the place of its folder', async () => {
    const sslDir = freshDir();
    writeFileSync(join(sslDir, 'remote'), '');
    expect(await check(me.cert, { sslDir })).toBe('one.lab');
  });

  it('must be the one in the file that was named, which must be there', async () => {
    const sslFingerprintFile = join(freshDir(), 'pinned');
    await expect(check(me.cert, { sslFingerprintFile })).rejects.toEqual(
      refusal('FILE_FAILED', new RegExp(sslFingerprintFile)),
    );
    writeFileSync(sslFingerprintFile, fingerprint(leaf.cert));
    await expect(check(me.cert, { sslFingerprintFile })).rejects.toEqual(
      refusal('CERTIFICATE_FINGERPRINT', new RegExp(sslFingerprintFile)),
    );
    writeFileSync(sslFingerprintFile, fingerprint(me.cert, 'sha256'));
    expect(await check(me.cert, { sslFingerprintFile })).toBe('one.lab');
  });

  describe('in the strict profile', () => {
    const every = { sslCheckCertificateHost: false, sslCheckFingerprint: false, strict: true };

    it('must have a fingerprint on file, whatever the other options say', async () => {
      const sslDir = freshDir();
      await expect(check(me.cert, { sslDir, ...every })).rejects.toEqual(
        refusal(
          'CERTIFICATE_FINGERPRINT',
          new RegExp(`No fingerprint.*remote/one\\.lab/fingerprint: ${sha1Line}$`),
        ),
      );
      const file = pin(sslDir, 'one.lab', fingerprint(leaf.cert));
      await expect(check(me.cert, { sslDir, ...every })).rejects.toEqual(
        refusal('CERTIFICATE_FINGERPRINT', new RegExp(file)),
      );
      writeFileSync(file, fingerprint(me.cert));
      expect(await check(me.cert, { sslDir, ...every })).toBe('one.lab');
      const elsewhere = { address: '10.0.0.9', host: 'one.lab' };
      await expect(check(me.cert, { sslDir, ...every }, elsewhere)).rejects.toEqual(
        refusal('CERTIFICATE_HOST', /10\.0\.0\.9/),
      );
    });

    it('must have the name of the host that was asked for', async () => {
      const sslDir = freshDir();
      pin(sslDir, 'one.lab', fingerprint(me.cert));
      for (const host of ['alias.lab', '10.0.0.1'])
        await expect(check(me.cert, { sslDir, ...every }, { host })).rejects.toEqual(
          refusal('CERTIFICATE_HOST', new RegExp(`for one\\.lab, not for ${host}`)),
        );
      for (const host of ['one.lab', 'ONE.lab.'])
        expect(await check(me.cert, { sslDir, ...every }, { host })).toBe('one.lab');
    });
  });

  it.each([
    ['a CR', (line: string) => line.replace('\n', '\r\n')],
    ['small letters', (line: string) => line.toLowerCase()],
    ['blanks', (line: string) => `  ${line.replace('=', '  =  ')}`],
    ['a CR, below another line', (line: string) => `old\r\n${line.replace('\n', '\r\n')}`],
    ['a byte order mark', (line: string) => `\uFEFF${line}`],
  ])(
    'is refused, with the reason, when what is on file is its fingerprint but for %s',
    async (_what, spoil) => {
      const sslDir = freshDir();
      const file = pin(sslDir, 'one.lab', spoil(fingerprint(me.cert)));
      await expect(check(me.cert, { sslDir })).rejects.toEqual(
        refusal(
          'CERTIFICATE_FINGERPRINT',
          new RegExp(`${file} has the fingerprint.*not as Amanda reads it`),
        ),
      );
    },
  );

  it('does not get around what is on file by a name in capitals', async () => {
    const capitals = made.signed('capitals', ca, { commonName: 'ONE.lab' });
    const rules = { sslDir: freshDir(), sslCheckCertificateHost: false };
    expect(await check(capitals.cert, rules)).toBe('ONE.lab');
    pin(rules.sslDir, 'one.lab', fingerprint(me.cert));
    await expect(check(capitals.cert, rules)).rejects.toEqual(
      refusal('CERTIFICATE_FINGERPRINT', /remote\/one\.lab/),
    );
  });

  it('is refused when what is on file cannot be read', async () => {
    const sslDir = freshDir();
    mkdirSync(join(sslDir, 'remote/one.lab/fingerprint'), { recursive: true });
    await expect(check(me.cert, { sslDir })).rejects.toEqual(
      refusal('FILE_FAILED', /remote\/one\.lab\/fingerprint/),
    );
  });
});
