import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  describeReal,
  everyone,
  type Lab,
  oddTree,
  openLab,
  programs,
  treeLines,
} from '../support/real-amanda.js';

const features = 'OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\n';

describeReal(
  'the harness',
  ['amandad', 'amservice', 'amcheck', 'amdump', 'amfetchdump', 'amrestore', 'amrecover'],
  () => {
    let lab: Lab;
    beforeAll(() => {
      lab = openLab();
    });
    afterAll(() => lab.close());

    it('lets a real amservice reach a real amandad over bsdtcp: the socket itself is the input and output of amandad', async () => {
      const target = await lab.spawnTarget({
        command: programs.amandad,
        args: ['-auth=bsdtcp', 'amdump'],
      });
      const { stdout, code } = await lab.asBackup(programs.amservice, [
        '-o',
        `client-port=${target.port}`,
        'localhost',
        'bsdtcp',
        'noop',
      ]);
      expect(stdout).toBe(`${features}\n`);
      expect(code).toBe(0);
      expect(await target.served[0]?.ended).toBe(0);
      await target.close();
    });

    it('lets a real amservice start a real amandad over local', async () => {
      const { stdout, code } = await lab.asBackup(programs.amservice, [
        'localhost',
        'local',
        'noop',
      ]);
      expect(stdout).toBe(`${features}\n`);
      expect(code).toBe(0);
    });

    it('lets the real programs start the amandad that a configuration names', async () => {
      const trace = join(lab.sandbox.directory, 'trace');
      const amandad = join(lab.sandbox.directory, 'my-amandad');
      writeFileSync(amandad, `#!/bin/sh\necho "$@" >>${trace}\nexec ${programs.amandad} "$@"\n`, {
        mode: 0o755,
      });
      writeFileSync(trace, '');
      chmodSync(trace, 0o666);
      const config = lab.configure({
        name: 'piped',
        auth: 'local',
        amandadPath: amandad,
        disks: [{ name: '/etc/amanda' }],
      });
      const { stdout } = await lab.asBackup(programs.amcheck, ['-c', config.name]);
      expect(stdout).toContain('0 problems found');
      expect(readFileSync(trace, 'utf8')).toBe('-auth=local\n');
    });

    it('keeps an .amandahosts of its own, and leaves the one of this machine alone', async () => {
      const own = statOf('/var/backups/.amandahosts');
      lab.sandbox.allow(['localhost root noop']);
      const target = await lab.spawnTarget({
        command: programs.amandad,
        args: ['-auth=bsdtcp', 'amdump'],
      });
      const { stdout, code } = await lab.asBackup(programs.amservice, [
        '-o',
        `client-port=${target.port}`,
        'localhost',
        'bsdtcp',
        'noop',
      ]);
      expect(stdout).toContain(
        'user backup from localhost is not allowed to execute the service noop',
      );
      expect(code).toBe(1);
      lab.sandbox.allow(everyone);
      expect(statOf('/var/backups/.amandahosts')).toEqual(own);
    });

    it('kills a program that takes too long together with what it started', async () => {
      const { stdout, timedOut, code } = await lab.asBackup(
        '/bin/sh',
        ['-c', 'sleep 1000 & echo $!; wait'],
        // Long enough for the shell to say its number on a busy machine.
        { timeout: 1_000 },
      );
      expect([timedOut, code]).toEqual([true, null]);
      expect(stdout).toMatch(/^\d+\n$/);
      // A killed process is listed as a zombie until its parent collects it.
      expect(
        spawnSync('ps', ['-o', 'stat=', '-p', stdout.trim()], { encoding: 'utf8' }).stdout.trim(),
      ).toMatch(/^(Z.*)?$/);
    });

    it('lets the real programs check, dump and restore a tree of odd names, which comes back identical', async () => {
      const tree = join(lab.sandbox.directory, 'tree');
      oddTree(tree);
      const target = await lab.spawnTarget({
        command: programs.amandad,
        args: ['-auth=bsdtcp', 'amdump', 'amindexd', 'amidxtaped'],
      });
      const config = lab.configure({
        auth: 'bsdtcp',
        clientPort: target.port,
        disks: [{ name: 'odd', path: tree }],
      });

      const check = await lab.asBackup(programs.amcheck, ['-c', config.name]);
      expect(check.stdout).toContain('0 problems found');
      const dump = await lab.asBackup(programs.amdump, [config.name]);
      expect(dump.code, dump.stdout + dump.stderr + lab.sandbox.logs()).toBe(0);

      const fetched = await lab.asBackup(programs.amfetchdump, [
        '-p',
        config.name,
        'localhost',
        '^odd$',
      ]);
      expect(treeLines(unpack(fetched.output, 'fetched'))).toEqual(treeLines(tree));
      const restored = await lab.asBackup(programs.amrestore, [
        '-p',
        config.firstTape,
        'localhost',
        '^odd$',
      ]);
      expect(treeLines(unpack(restored.output, 'restored'))).toEqual(treeLines(tree));
      const recovered = join(lab.sandbox.directory, 'recovered');
      mkdirSync(recovered);
      const commands = 'sethost localhost\nsetdisk odd\nadd .\nextract\nY\nY\nquit\n';
      const recover = await lab.asRoot(
        programs.amrecover,
        [config.name, '-s', 'localhost', '-t', 'localhost'],
        { cwd: recovered, input: commands },
      );
      expect(treeLines(recovered), recover.stdout + recover.stderr).toEqual(treeLines(tree));
    });

    function statOf(file: string): unknown {
      const { mtimeMs, size, ino } = statSync(file, { throwIfNoEntry: false }) ?? {};
      return { mtimeMs, size, ino };
    }

    function unpack(archive: Buffer, name: string): string {
      const directory = join(lab.sandbox.directory, name);
      mkdirSync(directory);
      const { status, stderr } = spawnSync('tar', ['-xpf', '-', '-C', directory], {
        input: archive,
      });
      expect(status, String(stderr)).toBe(0);
      return directory;
    }
  },
);
