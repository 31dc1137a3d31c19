import { join } from 'node:path';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bsd } from '../../src/drivers/datagram/bsd.js';
import { bsdudp } from '../../src/drivers/datagram/bsdudp.js';
import { connect } from '../../src/initiator/connect.js';
import type { Driver } from '../../src/drivers/driver.js';
import { dump } from '../../src/initiator/dump.js';
import { noop } from '../../src/initiator/noop.js';
import { receiveDump } from '../../src/initiator/receive-dump.js';
import { isProblem, selfcheck } from '../../src/initiator/selfcheck.js';
import { sendsize } from '../../src/initiator/sendsize.js';
import type { Dle } from '../../src/wire/dle/dle.js';
import { Features } from '../../src/wire/features.js';
import { recover } from '../support/full-backup.js';
import {
  type Configuration,
  describeReal,
  type Lab,
  oddTree,
  openLab,
  programs,
  treeLines,
  type RunResult,
} from '../support/real-amanda.js';
import { dumpOnce, recoverImage, unpack } from '../support/recovery.js';
import { spawnUdpTarget, type UdpTarget } from '../support/udp-inetd.js';
import { rxAmandad } from '../support/program.js';

const drivers = { bsdudp, bsd };
const auths = ['bsdudp', 'bsd'] as const;

describeReal('over UDP, our initiator and the real amandad', ['amandad', 'amdump'], () => {
  let lab: Lab;
  let tree = '';
  let dumped: Configuration;
  const targets: UdpTarget[] = [];
  const ports = new Map<string, number>();

  beforeAll(async () => {
    lab = openLab();
    tree = join(lab.sandbox.directory, 'tree');
    oddTree(tree);
    for (const auth of auths) {
      const target = await spawnUdpTarget(lab.sandbox, {
        command: programs.amandad,
        args: [`-auth=${auth}`, 'amdump', 'amindexd', 'amidxtaped'],
      });
      targets.push(target);
      ports.set(auth, target.port);
    }
    dumped = await dumpOnce(lab, { name: 'odd', path: tree });
  });
  afterAll(async () => {
    await Promise.all(targets.map((target) => target.close()));
    await lab.close();
  });

  const dle = (): Dle => ({
    program: 'GNUTAR',
    disk: 'odd',
    diskdevice: tree,
    index: true,
    record: false,
    estimate: ['CLIENT'],
  });

  describe.each(auths)('%s', (auth) => {
    const driver = (): Driver =>
      drivers[auth]({
        host: 'localhost',
        port: ports.get(auth) ?? expect.unreachable(),
        user: 'backup',
      });

    it('noop: says what it can do', async () => {
      const { features } = await firstValueFrom(connect(driver()).pipe(noop()));
      expect(features.toString()).toBe(Features.amanda351.toString());
    });

    it('selfcheck: finds the disk in order, and a missing one not', async () => {
      const gone = { ...dle(), disk: 'gone', diskdevice: join(tree, 'gone') };
      const findings = await lastValueFrom(
        connect(driver()).pipe(selfcheck({ dles: [dle(), gone] }), toArray()),
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
      const keep = (chunk: Uint8Array): [] => {
        image.push(chunk);
        return [];
      };
      const events = await lastValueFrom(
        connect(driver()).pipe(
          dump({ dle: dle() }),
          receiveDump(() => ({ data: keep })),
          toArray(),
        ),
      );
      const done = events.at(-1);
      const outcome = done?.kind === 'done' ? done.outcome : expect.unreachable();
      expect(outcome.kind).toBe('success');
      expect(outcome.native).toEqual(outcome.received);
      expect(
        treeLines(unpack(Buffer.concat(image), join(lab.sandbox.directory, `restored-${auth}`))),
      ).toEqual(treeLines(tree));
    });

    it('amindexd and amidxtaped: the tree recovered from tape is identical', async () => {
      const image = await recoverImage(driver(), dumped, 'odd');
      expect(treeLines(unpack(image, join(lab.sandbox.directory, `recovered-${auth}`)))).toEqual(
        treeLines(tree),
      );
    });

    it('a user who may not is refused with the real words', async () => {
      await expect(
        firstValueFrom(connect(driver()).pipe(noop({ user: 'mallory' }))),
      ).rejects.toMatchObject({
        code: 'REFUSED',
        message: expect.stringMatching(
          /^user mallory from localhost is not allowed to execute the service noop: /,
        ) as string,
      });
    });

    it('a source port that anybody may have is refused', async () => {
      const anyPort = drivers[auth]({
        host: 'localhost',
        port: ports.get(auth) ?? expect.unreachable(),
        user: 'backup',
        reservedPorts: false,
      });
      await expect(firstValueFrom(connect(anyPort).pipe(noop()))).rejects.toMatchObject({
        code: 'REFUSED',
        message: expect.stringMatching(/^host localhost: port \d+ not secure$/) as string,
      });
    });
  });
});

describeReal(
  'over UDP, the real programs and our rx-amandad',
  ['amservice', 'amcheck', 'amdump', 'amrecover'],
  () => {
    let lab: Lab;
    let tree = '';
    const targets: UdpTarget[] = [];
    const ports = new Map<string, number>();

    beforeAll(async () => {
      lab = openLab();
      tree = join(lab.sandbox.directory, 'tree');
      oddTree(tree);
      for (const auth of auths) {
        const args = [rxAmandad, `-auth=${auth}`, 'amdump', 'amindexd', 'amidxtaped'];
        const target = await spawnUdpTarget(lab.sandbox, { command: process.execPath, args });
        targets.push(target);
        ports.set(`${auth} from inetd`, target.port);
        ports.set(`${auth} listening by itself`, await listening(auth));
      }
    });
    afterAll(async () => {
      await Promise.all(targets.map((target) => target.close()));
      await lab.close();
    });

    /** Starts a target that listens by itself, and finds out where. */
    function listening(auth: string): Promise<number> {
      const args = [
        rxAmandad,
        `-auth=${auth}`,
        '-udp=0',
        '-no-exit',
        '-listen=127.0.0.1',
        'amdump',
        'amindexd',
        'amidxtaped',
      ];
      const child = lab.sandbox.start(process.execPath, args);
      let said = '';
      return new Promise((resolve, reject) => {
        child.once('exit', () => reject(new Error(`rx-amandad ended: ${said}`)));
        child.stderr?.on('data', (text: Buffer) => {
          said += text.toString();
          const [, port] = /port (\d+)\/udp/.exec(said) ?? [];
          if (port !== undefined) resolve(Number(port));
        });
      });
    }

    const dle = (auth: string): string =>
      `<dle>\n  <program>GNUTAR</program>\n  <estimate>CLIENT</estimate>\n  <disk>odd</disk>\n  <diskdevice>${tree}</diskdevice>\n  <level>0</level>\n  <auth>${auth}</auth>\n  <record>NO</record>\n  <index>YES</index>\n  <datapath>AMANDA</datapath>\n</dle>\n`;

    const ways = auths.flatMap((auth) => [
      [auth, `${auth} from inetd`] as const,
      [auth, `${auth} listening by itself`] as const,
    ]);

    describe.each(ways)('%s, as %s', (auth, way) => {
      const port = (): number => ports.get(way) ?? expect.unreachable();
      const amservice = (service: string, input = ''): Promise<RunResult> =>
        lab.asBackup(
          programs.amservice,
          ['-o', `client-port=${port()}`, 'localhost', auth, service],
          { input },
        );

      it('amservice noop, selfcheck and sendsize: are answered by the real executables', async () => {
        expect((await amservice('noop')).stdout).toBe(
          'OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\n\n',
        );
        const checked = await amservice('selfcheck', dle(auth));
        expect(checked.stdout).toContain('MESSAGE JSON');
        expect(checked.stdout).not.toContain('ERROR');
        expect((await amservice('sendsize', dle(auth))).stdout).toMatch(/^odd 0 SIZE \d{4}$/m);
      });

      it('amcheck, amdump and amrecover: the restored tree is identical', async () => {
        const config = lab.configure({
          name: `full-${way.replaceAll(' ', '-')}`,
          auth,
          clientPort: port(),
          disks: [
            { name: 'odd', path: tree },
            { name: 'app', path: tree, program: 'amgtar' },
          ],
        });
        const check = await lab.asBackup(programs.amcheck, ['-c', config.name]);
        expect(check.stdout, check.stderr).toContain('0 problems found');
        const dumped = await lab.asBackup(programs.amdump, [config.name], { timeout: 100_000 });
        expect(dumped.code, dumped.stdout + dumped.stderr + lab.sandbox.logs()).toBe(0);
        for (const disk of ['odd', 'app']) {
          const directory = join(
            lab.sandbox.directory,
            `recovered-${way.replaceAll(' ', '-')}-${disk}`,
          );
          const { stdout, stderr } = await recover(
            { lab, way: { auth, clientPort: port() }, config },
            { disk, directory },
          );
          expect(treeLines(directory), stdout + stderr).toEqual(treeLines(tree));
        }
      }, 300_000);
    });
  },
);
