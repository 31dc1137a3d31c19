import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exactLines } from '../support/exact-tree.js';
import { recover as amrecover } from '../support/full-backup.js';
import {
  type Configuration,
  type Disk,
  describeReal,
  type Lab,
  oddTree,
  openLab,
  programs,
} from '../support/real-amanda.js';
import { dumpAgain, runRecover } from '../support/recover-command.js';

/** A tree with what tar gets wrong; the states that follow it are those of {@link changes}. */
function firstTree(tree: string): void {
  oddTree(tree);
  mkdirSync(join(tree, 'etc/deep'), { recursive: true });
  for (const name of ['a', 'b', 'deep/c']) writeFileSync(join(tree, 'etc', name), name);
  const long = Array.from({ length: 15 }, (_, at) => `${at}`.padEnd(250, 'x')).join('/');
  mkdirSync(join(tree, long), { recursive: true });
  writeFileSync(join(tree, long, 'bottom'), 'x');
  spawnSync('truncate', ['-s', '3M', join(tree, 'holes')]);
  spawnSync('chown', ['-R', '1234:4321', join(tree, 'etc/deep')]);
  spawnSync('chmod', ['7751', join(tree, 'etc/deep')]);
  spawnSync('mkfifo', [join(tree, 'fifo')]);
  symlinkSync('/etc', join(tree, 'leads out'));
}

const changes: readonly ((tree: string) => void)[] = [
  firstTree,
  (tree) => {
    writeFileSync(join(tree, 'etc/a'), 'changed');
    rmSync(join(tree, 'etc/b'));
    renameSync(join(tree, 'empty folder'), join(tree, 'renamed folder'));
    // What was a link is a folder.
    rmSync(join(tree, 'leads out'));
    mkdirSync(join(tree, 'leads out'));
    writeFileSync(join(tree, 'leads out/passwd'), 'x');
  },
  (tree) => {
    rmSync(join(tree, 'plain.txt'));
    mkdirSync(join(tree, 'plain.txt'));
    renameSync(join(tree, 'etc/deep'), join(tree, 'etc/deeper'));
    renameSync(join(tree, 'renamed folder'), join(tree, 'empty folder'));
  },
];

const ENCRYPT = `#!/bin/sh
if [ "$1" = "-d" ]; then exec base64 -d; else exec base64; fi
`;

describeReal('rx-amanda recover get, compared with amrecover', ['amdump', 'amrecover'], () => {
  let lab: Lab;
  let config: Configuration;
  let server: string[] = [];
  let crypt = '';
  const states: (readonly string[])[] = [];
  const at = (name: string) => join(lab.sandbox.directory, name);
  const disks: readonly Disk[] = [
    { name: 'gnu tar' },
    { name: 'amgtar', program: 'amgtar' },
    { name: 'client-gzip', dumptype: ['compress client fast'] },
    { name: 'server-gzip', dumptype: ['compress server fast'] },
    {
      name: 'client-zstd',
      program: 'amgtar',
      dumptype: ['compress client custom', 'client-custom-compress "/usr/bin/zstd"'],
    },
    {
      name: 'server-zstd',
      dumptype: ['compress server custom', 'server-custom-compress "/usr/bin/zstd"'],
    },
    {
      name: 'client-crypt',
      dumptype: [
        'compress client fast',
        'encrypt client',
        'client-encrypt "CRYPT"',
        'client-decrypt-option "-d"',
      ],
    },
    {
      name: 'server-crypt',
      dumptype: ['encrypt server', 'server-encrypt "CRYPT"', 'server-decrypt-option "-d"'],
    },
  ];

  beforeAll(async () => {
    lab = openLab();
    crypt = at('crypt');
    writeFileSync(crypt, ENCRYPT, { mode: 0o755 });
    const tree = at('tree');
    config = lab.configure({
      name: 'got',
      auth: 'local',
      disks: disks.map((disk) => ({
        ...disk,
        path: tree,
        dumptype: (disk.dumptype ?? []).map((line) => line.replace('CRYPT', crypt)),
      })),
      incremental: true,
    });
    for (const [run, change] of changes.entries()) {
      change(tree);
      states.push(exactLines(tree));
      await dumpAgain(lab, config, run === 0 ? 0 : 'incremental');
    }
    const { port } = await lab.spawnTarget({
      command: programs.amandad,
      args: ['-auth=bsdtcp', 'amindexd', 'amidxtaped'],
    });
    server = [`localhost:${port}`, '--user', 'backup', '--config', config.name, '--no-config'];
    server.push('--allow-program', crypt);
  }, 240_000);
  afterAll(() => lab.close());
  const recover = (...words: string[]) => runRecover([...server, ...words]);

  it('a file comes back alone, from the newest dump that has it', async () => {
    const words = ['--disk', 'amgtar', 'get', '/etc/a', '/random.bin', '-C', at('alone')];
    const { code, out, err } = await recover(...words);
    expect(code, out + err).toBe(0);
    expect(out).toContain('from 2 dumps');
    const whole = states[2]?.filter((line) => /^"\.\/(?:etc\/a|random\.bin) /.test(line));
    expect(exactLines(at('alone')).filter((line) => !/^"\.(?:\/etc)? /.test(line))).toEqual(whole);
  });

  it('a folder that was renamed comes back, under its name of the time', async () => {
    const words = ['--disk', 'gnu tar', 'get', '/etc/deeper', '-C', at('renamed')];
    const { code, out, err } = await recover(...words);
    expect(code, out + err).toBe(0);
    const isWanted = (line: string) => line.startsWith('"./etc/deeper');
    expect(exactLines(at('renamed')).filter(isWanted)).toEqual(states[2]?.filter(isWanted));
    const before = ['--disk', 'gnu tar', 'get', '/etc/deep', '-C', at('before')];
    const { code: failed, err: why } = await recover(...before);
    expect([failed, why]).toEqual([1, expect.stringContaining('was removed')]);
  });

  it('one archive on standard output has all dumps', async () => {
    const { code } = await recover('--disk', 'gnu tar', 'get', '/', '--into', '-');
    expect(code).toBe(0);
  });

  describe.each(disks.map(({ name }) => name))('%s', (disk) => {
    it('is dumped at levels 0, 1 and 2', async () => {
      const { out } = await recover('--disk', disk, '--json', 'get', '/', '--dry-run');
      expect(JSON.parse(out)).toMatchObject({ dumps: [{ level: 0 }, { level: 1 }, { level: 2 }] });
    });

    it('comes back as it was at each date', async () => {
      const { out: planned } = await recover('--disk', disk, '--json', 'get', '/', '--dry-run');
      const { dumps } = JSON.parse(planned) as { readonly dumps: readonly { date: string }[] };
      for (const [run, { date }] of dumps.entries()) {
        const into = at(`${disk} ${run}`);
        const words = ['--disk', disk, '--date', date, 'get', '/', '-C', into];
        const { code, out, err } = await recover(...words);
        expect(code, out + err).toBe(0);
        expect(exactLines(into)).toEqual(states[run]);
      }
    });

    it('comes back as from amrecover', async () => {
      const directory = at(`amrecover ${disk}`);
      const run = { lab, config, way: { auth: 'local' as const } };
      await amrecover(run, { disk: `"${disk}"`, directory, questions: 4 });
      const into = at(`${disk} again`);
      await recover('--disk', disk, 'get', '/', '-C', into);
      expect(exactLines(into)).toEqual(exactLines(directory));
    });
  });
});
