import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/initiator/connect.js';
import type { Driver } from '../../src/drivers/driver.js';
import { ssh, type SshOptions } from '../../src/drivers/ssh.js';
import { dump } from '../../src/initiator/dump.js';
import { noop } from '../../src/initiator/noop.js';
import { receiveDump } from '../../src/initiator/receive-dump.js';
import { isProblem, selfcheck } from '../../src/initiator/selfcheck.js';
import { sendsize } from '../../src/initiator/sendsize.js';
import type { Dle } from '../../src/wire/dle/dle.js';
import { Features } from '../../src/wire/features.js';
import { recover } from '../support/full-backup.js';
import {
  describeReal,
  type Lab,
  oddTree,
  openLab,
  programs,
  treeLines,
  type RunResult,
} from '../support/real-amanda.js';
import { dumpOnce, recoverImage, unpack } from '../support/recovery.js';
import { giveToBackup, type Sandbox } from '../support/sandbox.js';
import { sshdWords, writeSshFiles } from '../support/sshd.js';
import { rxAmandad } from '../support/program.js';

/** Where user backup of the sandbox has its keys, as the programs inside see it. */
const KEY = '/var/backups/.ssh/id';

/**
 * An sshd whose sessions are inside a sandbox, and into which its user backup can log in, from
 * inside and with {@link login} from outside.
 */
interface SandboxSshd {
  readonly port: number;
  readonly login: Pick<SshOptions, 'host' | 'port' | 'keyFile' | 'sshOptions'>;
}

async function sshdInside(lab: Lab): Promise<SandboxSshd> {
  const { sandbox } = lab;
  const files = join(sandbox.directory, 'sshd');
  mkdirSync(files);
  const keys = writeSshFiles(files, {
    authorizedKeys: '.ssh/authorized_keys',
    config: ['AllowUsers backup'],
  });
  const { port } = await lab.spawnTarget({
    command: programs.sshd,
    args: sshdWords(files),
    user: 'root',
  });
  const known = `[localhost]:${port} ${keys.hostKey}`;
  for (const [home, owner] of [
    [sandbox.home, 'backup'],
    [rootHome(sandbox), 'root'],
  ] as const) {
    const folder = join(home, '.ssh');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, 'authorized_keys'), keys.userKey);
    writeFileSync(join(folder, 'known_hosts'), known);
    writeFileSync(join(folder, 'id'), readFileSync(join(files, 'id')), { mode: 0o600 });
    if (owner === 'backup') giveToBackup(folder);
  }
  const config = join(files, 'ssh_config');
  writeFileSync(
    config,
    `IdentitiesOnly yes\nStrictHostKeyChecking yes\nUserKnownHostsFile ${join(rootHome(sandbox), '.ssh', 'known_hosts')}\n`,
  );
  return {
    port,
    login: { host: 'localhost', port, keyFile: join(files, 'id'), sshOptions: ['-F', config] },
  };
}

/**
 * What stands where root's home is, for programs that run as root and are started with {@link
 * asRootAtHome}.
 */
function rootHome(sandbox: Sandbox): string {
  return join(sandbox.directory, 'root');
}

/**
 * Runs a program as a root user with a home in the sandbox. ssh looks for known hosts in the home
 * of the password file and ignores HOME.
 */
function asRootAtHome(lab: Lab): Lab['asRoot'] {
  return (command, args, options) =>
    lab.asRoot(
      '/bin/sh',
      ['-c', `mount --bind ${rootHome(lab.sandbox)} /root && exec "$@"`, 'sh', command, ...args],
      options,
    );
}

describeReal(
  'ssh',
  ['amandad', 'amservice', 'amcheck', 'amdump', 'amfetchdump', 'amrecover', 'sshd'],
  () => {
    let lab: Lab;
    let sshd: SandboxSshd;
    let tree = '';
    let ours = '';

    beforeAll(async () => {
      lab = openLab();
      sshd = await sshdInside(lab);
      tree = join(lab.sandbox.directory, 'tree');
      oddTree(tree);
      // sshd gives its sessions a PATH without node.
      ours = join(lab.sandbox.directory, 'rx-amandad');
      writeFileSync(ours, `#!/bin/sh\nexec '${process.execPath}' '${rxAmandad}' "$@"\n`);
      chmodSync(ours, 0o755);
    });
    afterAll(() => lab.close());

    describe('our initiator and the real amandad', () => {
      const driver = (): Driver => ssh(sshd.login);
      const dle = (): Dle => ({
        program: 'GNUTAR',
        disk: 'odd',
        diskdevice: tree,
        index: true,
        record: false,
        estimate: ['CLIENT'],
        auth: 'ssh',
      });

      it('noop: says what it can do', async () => {
        const { features } = await firstValueFrom(connect(driver()).pipe(noop()));
        expect(features.toString()).toBe(Features.amanda351.toString());
      });

      it('selfcheck: finds the disk in order, and a missing one not', async () => {
        const dles = [dle(), { ...dle(), disk: 'gone', diskdevice: join(tree, 'gone') }];
        const findings = await lastValueFrom(
          connect(driver()).pipe(selfcheck({ dles }), toArray()),
        );
        expect(findings.filter(isProblem).map(({ details }) => details.get('disk'))).toEqual([
          'gone',
        ]);
      });

      it('sendsize: estimates the tree', async () => {
        const [estimate, ...more] = await lastValueFrom(
          connect(driver()).pipe(sendsize({ dles: [dle()], replyTimeout: 60_000 }), toArray()),
        );
        expect(more).toEqual([]);
        expect(estimate).toMatchObject({ kind: 'size', disk: 'odd', level: 0 });
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
            })),
            toArray(),
          ),
        );
        const done = events.at(-1);
        const outcome = done?.kind === 'done' ? done.outcome : expect.unreachable();
        expect(outcome.kind).toBe('success');
        expect(outcome.native).toEqual(outcome.received);
        expect(
          treeLines(unpack(Buffer.concat(image), join(lab.sandbox.directory, 'restored'))),
        ).toEqual(treeLines(tree));
      });

      it('amindexd and amidxtaped: the tree recovered from tape is identical', async () => {
        const dumped = await dumpOnce(lab, { name: 'odd', path: tree });
        const image = await recoverImage(driver(), dumped, 'odd');
        expect(
          treeLines(unpack(image, join(lab.sandbox.directory, 'recovered from tape'))),
        ).toEqual(treeLines(tree));
      });

      it('says that amandad is missing', async () => {
        const asked = firstValueFrom(
          connect(ssh({ ...sshd.login, amandadPath: '/usr/lib/amanda/nosuch' })).pipe(noop()),
        );
        await expect(asked).rejects.toMatchObject({
          code: 'COMMAND_FAILED',
          message: expect.stringMatching(
            /exit code 127, saying: .*nosuch.* is this the path of its amandad/,
          ) as string,
        });
      });

      it('shows what a noisy login profile of the user says', async () => {
        const profile = join(lab.sandbox.home, '.bashrc');
        writeFileSync(profile, 'echo "Welcome, $USER"\n');
        giveToBackup(profile);
        await expect(firstValueFrom(connect(driver()).pipe(noop()))).rejects.toMatchObject({
          code: 'TEXT_IN_CHANNEL',
          message: expect.stringMatching(
            /"Welcome, backup\\n.*"\. Usually a login profile/,
          ) as string,
        });
        writeFileSync(profile, '');
      });
    });

    describe('the real programs and our rx-amandad', () => {
      const way = (): readonly string[] => [
        `amandad-path=${ours}`,
        `client-port=${sshd.port}`,
        `ssh-keys=${KEY}`,
        'client-username=backup',
      ];
      const words = (): readonly string[] => way().flatMap((word) => ['-o', word]);
      const dle = (): string =>
        `<dle>\n  <program>GNUTAR</program>\n  <estimate>CLIENT</estimate>\n  <disk>odd</disk>\n  <diskdevice>${tree}</diskdevice>\n  <level>0</level>\n  <auth>ssh</auth>\n  <record>NO</record>\n  <index>YES</index>\n  <datapath>AMANDA</datapath>\n</dle>\n`;
      const amservice = (service: string, input = ''): Promise<RunResult> =>
        lab.asBackup(programs.amservice, [...words(), 'localhost', 'ssh', service], { input });

      it('amservice noop: is answered by the real executable', async () => {
        const { stdout, stderr, code } = await amservice('noop');
        expect([stdout, code], stderr).toEqual([
          'OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\n\n',
          0,
        ]);
      });

      it('amservice selfcheck and sendsize: the real executables are run', async () => {
        const { stdout } = await amservice('selfcheck', dle());
        expect(stdout).toContain('MESSAGE JSON');
        expect(stdout).not.toContain('ERROR');
        expect((await amservice('sendsize', dle())).stdout).toMatch(/^odd 0 SIZE \d{4}$/m);
      });

      it('amcheck, amdump and amrecover: the restored trees are identical', async () => {
        const over = {
          auth: 'ssh',
          clientPort: sshd.port,
          amandadPath: ours,
          options: ['ssh-keys=/root/.ssh/id', 'client-username=backup'],
        } as const;
        const config = lab.configure({
          name: 'over-ssh',
          ...over,
          dumptype: [`ssh-keys "${KEY}"`, 'client-username "backup"'],
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
          const directory = join(lab.sandbox.directory, `recovered-${disk}`);
          const { stdout, stderr } = await recover(
            { lab, way: over, config, asRoot: asRootAtHome(lab) },
            { disk, directory },
          );
          expect(treeLines(directory), stdout + stderr).toEqual(treeLines(tree));
        }
      }, 200_000);
    });
  },
);
