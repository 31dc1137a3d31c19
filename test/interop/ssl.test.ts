import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bsdtcp } from '../../src/drivers/bsdtcp.js';
import { connect } from '../../src/initiator/connect.js';
import type { Driver } from '../../src/drivers/driver.js';
import { ssl } from '../../src/drivers/ssl/ssl.js';
import { request } from '../../src/exchange/request.js';
import { dump } from '../../src/initiator/dump.js';
import { noop } from '../../src/initiator/noop.js';
import { receiveDump } from '../../src/initiator/receive-dump.js';
import { isProblem, selfcheck } from '../../src/initiator/selfcheck.js';
import { sendsize } from '../../src/initiator/sendsize.js';
import { formatDle } from '../../src/wire/dle/dle-format.js';
import type { Dle } from '../../src/wire/dle/dle.js';
import { Features } from '../../src/wire/features.js';
import { fingerprint, openCertificates, pin } from '../support/certificates.js';
import { recover } from '../support/full-backup.js';
import {
  describeReal,
  type Lab,
  oddTree,
  openLab,
  programs,
  treeLines,
  type RunResult,
  type Target,
} from '../support/real-amanda.js';
import { dumpOnce, recoverImage, unpack } from '../support/recovery.js';
import { giveToBackup } from '../support/sandbox.js';
import { rxAmandad } from '../support/program.js';

const services = ['amdump', 'amindexd', 'amidxtaped'];

/**
 * Folders of certificates. The first are good. The others are by another CA, by an authority below
 * the CA, for another host, not on file, with a short key, and expired.
 */
type Kind = 'good' | 'stranger' | 'below' | 'elsewhere' | 'renewed' | 'weak' | 'expired';

describeReal(
  'ssl and the real programs',
  ['amandad', 'amservice', 'amcheck', 'amdump', 'amfetchdump', 'amrecover'],
  () => {
    let lab: Lab;
    let tree = '';
    const dirs = {} as Record<Kind, string>;
    let real: Target;
    let ours: Target;

    beforeAll(async () => {
      lab = openLab();
      tree = join(lab.sandbox.directory, 'tree');
      oddTree(tree);
      makeCertificates();
      useByReal('good');
      real = await lab.spawnTarget({ command: programs.amandad, args: ['-auth=ssl', ...services] });
      ours = await lab.spawnTarget({
        command: process.execPath,
        args: [
          rxAmandad,
          '-auth=ssl',
          `-ssl-dir=${seenInside('good')}`,
          '-log=/var/log/amanda/rx-amandad',
          ...services,
        ],
      });
    });
    afterAll(() => lab.close());
    afterEach(() => {
      useByReal('good');
    });

    function makeCertificates(): void {
      const certificates = openCertificates(lab.sandbox.etc);
      const ca = certificates.authority('ca');
      const middle = certificates.signed('middle', ca, { commonName: 'middle', isAuthority: true });
      const leaf = certificates.signed('leaf', middle);
      appendFileSync(leaf.cert, readFileSync(middle.cert));
      const me = certificates.signed('me', ca);
      dirs.good = certificates.sslDir('good', ca, me);
      dirs.stranger = certificates.sslDir(
        'stranger',
        ca,
        certificates.signed('foreign', certificates.authority('other')),
      );
      dirs.below = certificates.sslDir('below', ca, leaf);
      dirs.elsewhere = certificates.sslDir(
        'elsewhere',
        ca,
        certificates.signed('elsewhere', ca, { commonName: 'elsewhere.invalid' }),
      );
      dirs.weak = certificates.sslDir(
        'weak',
        ca,
        certificates.signed('weak', ca, { rsaBits: 1024 }),
      );
      dirs.expired = certificates.sslDir(
        'expired',
        ca,
        certificates.signed('expired', ca, { days: -1 }),
      );
      dirs.renewed = certificates.sslDir('renewed', ca, certificates.signed('renewed', ca));
      pin(dirs.good, 'localhost', fingerprint(me.cert));
      giveToBackup(lab.sandbox.etc);
    }

    function seenInside(kind: Kind): string {
      return dirs[kind].replace(lab.sandbox.etc, '/etc/amanda');
    }

    /** What the real programs go by, as initiators and as targets. */
    function useByReal(kind: Kind): void {
      writeFileSync(join(lab.sandbox.etc, 'amanda-client.conf'), `ssl-dir "${seenInside(kind)}"\n`);
    }

    function driver(port = real.port, kind: Kind = 'good'): Driver {
      return ssl({
        host: 'localhost',
        port,
        user: 'backup',
        sslDir: dirs[kind],
        onWarning: () => undefined,
        ...(kind === 'weak' ? { sslCipherList: 'DEFAULT:@SECLEVEL=0' } : {}),
      });
    }

    function amservice(service: string, input = ''): Promise<RunResult> {
      return lab.asBackup(
        programs.amservice,
        ['-o', `client-port=${ours.port}`, 'localhost', 'ssl', service],
        { input },
      );
    }

    const dle = (): Dle => ({
      program: 'GNUTAR',
      disk: 'odd',
      diskdevice: tree,
      auth: 'ssl',
      index: true,
      record: false,
      estimate: ['CLIENT'],
    });

    describe('our initiator and the real amandad', () => {
      it('noop: says what it can do, and TLS 1.3 says who it is', async () => {
        const { features, reply } = await firstValueFrom(connect(driver()).pipe(noop()));
        expect(features.toString()).toBe(Features.amanda351.toString());
        expect(reply.connection.peer).toMatchObject({
          driver: 'ssl',
          host: 'localhost',
          tls: { protocol: 'TLSv1.3', commonName: 'localhost' },
        });
      });

      it('selfcheck: finds the disk in order, and a missing one not', async () => {
        const missing = { ...dle(), disk: 'gone', diskdevice: join(tree, 'gone') };
        const findings = await lastValueFrom(
          connect(driver()).pipe(selfcheck({ dles: [dle(), missing] }), toArray()),
        );
        expect(findings.filter(isProblem).map(({ details }) => details.get('disk'))).toEqual([
          'gone',
        ]);
      });

      it('sendsize: estimates the tree', async () => {
        const estimates = await lastValueFrom(
          connect(driver()).pipe(sendsize({ dles: [dle()], replyTimeout: 60_000 }), toArray()),
        );
        expect(estimates).toMatchObject([{ kind: 'size', disk: 'odd', level: 0 }]);
      });

      it('sendbackup: the restored tree is identical, and size and checksum agree', async () => {
        const image: Uint8Array[] = [];
        const events = await lastValueFrom(
          connect(driver()).pipe(
            dump({ dle: dle() }),
            receiveDump(() => ({
              data: (chunk) => {
                image.push(chunk);
                return [];
              },
              index: () => [],
            })),
            toArray(),
          ),
        );
        const done = events.at(-1);
        const outcome = done?.kind === 'done' ? done.outcome : expect.unreachable();
        expect(outcome.kind).toBe('success');
        expect(outcome.native).toEqual(outcome.received);
        expect(treeLines(unpack(Buffer.concat(image), folder('restored')))).toEqual(
          treeLines(tree),
        );
      });

      it('amindexd and amidxtaped: the tree recovered from tape is identical', async () => {
        const dumped = await dumpOnce(lab, { name: 'odd', path: tree });
        useByReal('good');
        expect(
          treeLines(
            unpack(await recoverImage(driver(), dumped, 'odd'), folder('recovered from tape')),
          ),
        ).toEqual(treeLines(tree));
      });

      it.each([
        ['signed by another CA', 'stranger', 'CERTIFICATE_UNTRUSTED', /good\/CA\/crt\.pem/],
        ['that has expired', 'expired', 'CERTIFICATE_EXPIRED', /good\/CA\/crt\.pem/],
        [
          'signed by an authority below the CA',
          'below',
          'CERTIFICATE_UNTRUSTED',
          /good\/CA\/crt\.pem/,
        ],
        ['for another host', 'elsewhere', 'CERTIFICATE_HOST', /elsewhere\.invalid/],
        [
          'that is not the one on file',
          'renewed',
          'CERTIFICATE_FINGERPRINT',
          /good\/remote\/localhost\/fingerprint/,
        ],
      ] as const)(
        'a target with a certificate %s is refused',
        async (_what, kind, code, message) => {
          useByReal(kind);
          await expect(firstValueFrom(connect(driver()))).rejects.toMatchObject({
            code,
            message: expect.stringMatching(message) as string,
          });
        },
      );

      it.each([
        ['by another CA: it says so', 'stranger', 'CERTIFICATE_REFUSED'],
        ['with a short key: it says so', 'weak', 'CERTIFICATE_REFUSED'],
        ['that has expired: it says so', 'expired', 'CERTIFICATE_REFUSED'],
        ['for another host: it says nothing', 'elsewhere', 'ACK_TIMEOUT'],
        ['that is not the one on file: it says nothing', 'renewed', 'ACK_TIMEOUT'],
      ] as const)('the real amandad refuses a certificate %s', async (_what, kind, code) => {
        const asked = firstValueFrom(
          connect(driver(real.port, kind)).pipe(
            request('noop', { ackTimeout: 500, requestTries: 1 }),
          ),
        );
        await expect(asked).rejects.toMatchObject({ code });
      });

      it('the real amandad takes a certificate by an authority below the CA, since OpenSSL counts the authorities between; ours does not', async () => {
        // Nothing is on file there.
        useByReal('renewed');
        const asked = connect(driver(real.port, 'below')).pipe(noop());
        expect((await firstValueFrom(asked)).features.toString()).toBe(
          Features.amanda351.toString(),
        );
      });

      it('each says what is wrong when the other speaks bsdtcp', async () => {
        const plain = await lab.spawnTarget({
          command: programs.amandad,
          args: ['-auth=bsdtcp', 'amdump'],
        });
        await expect(firstValueFrom(connect(driver(plain.port)))).rejects.toMatchObject({
          code: 'TLS_FAILED',
          message: expect.stringMatching(/auth bsdtcp/) as string,
        });
        const asked = firstValueFrom(
          connect(bsdtcp({ host: 'localhost', port: real.port, user: 'backup' })).pipe(
            request('noop', { ackTimeout: 500, requestTries: 1 }),
          ),
        );
        await expect(asked).rejects.toMatchObject({
          message: expect.stringMatching(/same auth/) as string,
        });
      });
    });

    describe('the real programs and our rx-amandad', () => {
      it('amservice: noop, selfcheck and sendsize are answered by the real executables', async () => {
        expect((await amservice('noop')).stdout).toBe(
          'OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\n\n',
        );
        const text = formatDle({ ...dle(), levels: [{ level: 0 }] });
        const selfchecked = await amservice('selfcheck', text);
        expect(selfchecked.stdout).toContain('MESSAGE JSON');
        expect(selfchecked.stdout).not.toContain('ERROR');
        expect((await amservice('sendsize', text)).stdout).toMatch(/^odd 0 SIZE \d{4}$/m);
      });

      it('goes by amanda-client.conf, as the real amandad does, and by its own words first', async () => {
        const started = (...words: string[]): Promise<Target> =>
          lab.spawnTarget({
            command: process.execPath,
            args: [rxAmandad, '-auth=ssl', '-log=/var/log/amanda/rx-amandad', ...words, 'amdump'],
          });
        const answer = async ({ port }: Target): Promise<string> =>
          (
            await lab.asBackup(programs.amservice, [
              '-o',
              `client-port=${port}`,
              'localhost',
              'ssl',
              'noop',
            ])
          ).stdout;
        const features = 'OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\n\n';
        useByReal('renewed');
        expect(await answer(await started())).toBe(features);
        // Now what the initiator shows is not the one on file with the target.
        const pinning = `-ssl-fingerprint-file=${seenInside('good')}/remote/localhost/fingerprint`;
        expect(await answer(await started(pinning))).not.toBe(features);
        expect(lastLogLine()).toMatch(
          /is not the one on file in .*good\/remote\/localhost\/fingerprint/,
        );
        expect(await answer(await started(pinning, '-ssl-check-fingerprint=no'))).toBe(features);
        const single = [
          '-no-config',
          ...['cert-file=me/crt.pem', 'key-file=me/private/key.pem', 'ca-cert-file=CA/crt.pem'].map(
            (word) => `-ssl-${word.replace('=', `=${seenInside('renewed')}/`)}`,
          ),
        ];
        expect(await answer(await started(...single))).toBe(features);
      });

      it('amcheck, amdump, amrecover and amfetchdump: the restored tree is identical', async () => {
        const disks = [
          { name: 'odd', path: tree },
          { name: 'app', path: tree, program: 'amgtar' as const },
        ];
        const way = { auth: 'ssl', clientPort: ours.port } as const;
        const config = lab.configure({ name: 'full-ssl', ...way, disks });
        for (const file of [
          join(config.directory, 'amanda.conf'),
          join(lab.sandbox.etc, 'amanda-client.conf'),
        ]) {
          appendFileSync(file, `ssl-dir "${seenInside('good')}"\n`);
        }
        const check = await lab.asBackup(programs.amcheck, ['-c', config.name]);
        expect(check.stdout, check.stderr).toContain('0 problems found');
        const dumped = await lab.asBackup(programs.amdump, [config.name], { timeout: 100_000 });
        expect(dumped.code, dumped.stdout + dumped.stderr + lab.sandbox.logs()).toBe(0);
        const directory = folder('recovered');
        const { stdout, stderr } = await recover({ lab, way, config }, { disk: 'odd', directory });
        expect(treeLines(directory), stdout + stderr).toEqual(treeLines(tree));
        // The real amrecover loses a race of its own with the real amidxtaped over ssl, for
        // application dumps.
        const fetched = await lab.asBackup(programs.amfetchdump, [
          '-p',
          config.name,
          'localhost',
          '^app$',
        ]);
        expect(treeLines(unpack(fetched.output, folder('fetched')))).toEqual(treeLines(tree));
      }, 200_000);

      it.each([
        ['signed by another CA', 'stranger', /does not stand up to the CA of .*good\/CA\/crt\.pem/],
        ['that has expired', 'expired', /is not valid now/],
        [
          'signed by an authority below the CA',
          'below',
          /does not stand up to the CA of .*good\/CA\/crt\.pem/,
        ],
        ['for another host', 'elsewhere', /elsewhere\.invalid does not lead to .*127\.0\.0\.1/],
        ['that is not the one on file', 'renewed', /good\/remote\/localhost\/fingerprint/],
      ] as const)(
        'an amservice with a certificate %s is refused, and the log says why',
        async (_what, kind, reason) => {
          useByReal(kind);
          const served = ours.served.length;
          const { code, stdout } = await amservice('noop');
          expect(code, stdout).not.toBe(0);
          expect(await ours.served[served]?.ended).toBe(0);
          expect(lastLogLine()).toMatch(reason);
        },
      );

      function lastLogLine(): string {
        return (
          readFileSync(join(lab.sandbox.log, 'rx-amandad'), 'utf8').trimEnd().split('\n').at(-1) ??
          ''
        );
      }
    });

    function folder(name: string): string {
      return join(lab.sandbox.directory, name);
    }
  },
);
