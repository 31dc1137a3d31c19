import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Subscription } from 'rxjs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { authorize } from '../../src/access/authorize.js';
import { listenBsdtcp } from '../../src/drivers/bsdtcp.js';
import { serve } from '../../src/target/serve.js';
import type { BackupEntry } from '../../src/target/services/backup-entry.js';
import { backupServices } from '../../src/target/services/backup-services.js';
import { fileJournal } from '../../src/target/services/dump-journal.js';
import { tarArchive, type ArchiveMember } from '../../src/target/services/tar-archive.js';
import {
  describeReal,
  openLab,
  programs,
  type Configuration,
  type Lab,
} from '../support/real-amanda.js';

/** The program's data: files, each with the number of its last change. */
const files = new Map<string, { content: string; change: number }>();
let change = 0;

function write(name: string, content: string): void {
  change += 1;
  files.set(name, { content, change });
}

function* changedSince(last: number): Generator<ArchiveMember> {
  yield { folder: '', names: ['log', ...[...files.keys()].filter((name) => !name.includes('/'))] };
  for (const [name, file] of files) if (file.change > last) yield { name, content: file.content };
  yield { name: 'log/lines', content: [Buffer.from('one\n'), Buffer.from('two\n')], partSize: 5 };
}

describeReal(
  'levels of a program under a real server',
  ['amdump', 'amadmin', 'amcheck', 'amrecover'],
  () => {
    let lab: Lab;
    let config: Configuration;
    let serving: Subscription | undefined;
    let serverPort = 0;
    const ends: unknown[] = [];
    const bases: unknown[] = [];

    const shop: BackupEntry = {
      selects: true,
      estimate: () => 40_960,
      dump: (level, base) => {
        bases.push([level, base?.level]);
        const last = base === undefined ? 0 : Number(base.state);
        return { ...tarArchive({ files: changedSince(last) }), state: change };
      },
      done: (level, { kind }) => void ends.push([level, kind]),
    };

    beforeAll(async () => {
      lab = openLab();
      ({ port: serverPort } = await lab.spawnTarget({
        command: programs.amandad,
        args: ['-auth=bsdtcp', 'amindexd', 'amidxtaped'],
      }));
      const journal = fileJournal(join(lab.sandbox.directory, 'journal', 'dumps.json'));
      const services = backupServices(() => shop, { journal });
      const port = await new Promise<number>((resolve) => {
        serving = serve(
          listenBsdtcp({ port: 0, host: '127.0.0.1', onListening: resolve }),
          services,
          { authorize: authorize({ rules: 'localhost backup amdump\n' }) },
        ).subscribe();
      });
      config = lab.configure({
        auth: 'bsdtcp',
        clientPort: port,
        disks: [{ name: 'shop' }],
        incremental: true,
        dumptype: ['compress client fast', 'exclude "*.tmp"'],
      });
    });
    afterAll(async () => {
      serving?.unsubscribe();
      await lab.close();
    });

    async function run(program: string, ...words: readonly string[]): Promise<string> {
      const { stdout, stderr, code } = await lab.asBackup(program, words, { timeout: 100_000 });
      expect(code, stdout + stderr + lab.sandbox.logs()).toBe(0);
      return stdout;
    }

    it('build on dumps whose end the server has read', async () => {
      write('a', 'a0');
      write('b', 'b0');
      write('c', 'c0');
      write('scratch.tmp', 'left out');
      expect(await run(programs.amcheck, '-c', config.name)).toContain('0 problems found');
      await run(programs.amdump, config.name);
      await vi.waitFor(() => expect(ends).toHaveLength(1));
      write('b', 'b1');
      files.delete('c');
      await run(programs.amadmin, config.name, 'force-bump', 'localhost');
      await run(programs.amdump, config.name);
      await vi.waitFor(() => expect(ends).toHaveLength(2));
      write('d', 'd2');
      await run(programs.amadmin, config.name, 'force-bump', 'localhost');
      await run(programs.amdump, config.name);
      await vi.waitFor(() => expect(ends).toHaveLength(3));
      expect(ends).toEqual([0, 1, 2].map((level) => [level, 'whole']));
      expect(bases).toEqual([
        [0, undefined],
        [1, 0],
        [2, 1],
      ]);
    });

    it('are restored by amrecover as the program was at the last one', async () => {
      const place = mkdtempSync(join(lab.sandbox.directory, 'recovered-'));
      const words = ['-s', 'localhost', '-t', 'localhost', '-o', 'auth=bsdtcp'];
      const { stdout, stderr } = await lab.asRoot(
        programs.amrecover,
        [config.name, ...words, '-o', `client-port=${serverPort}`],
        {
          cwd: place,
          input: 'sethost localhost\nsetdisk shop\nadd .\nextract\nY\nY\nY\nY\nY\nquit\n',
        },
      );
      const found = readdirSync(place, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((path) => [relative(place, path), readFileSync(path, 'utf8')])
        .sort();
      expect(found, stdout + stderr).toEqual([
        ['a', 'a0'],
        ['b', 'b1'],
        ['d', 'd2'],
        ['log/lines.000001', 'one\nt'],
        ['log/lines.000002', 'wo\n'],
      ]);
    });
  },
);
