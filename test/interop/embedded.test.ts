import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { firstValueFrom } from 'rxjs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { bsdtcp } from '../../src/drivers/bsdtcp.js';
import { connect } from '../../src/initiator/connect.js';
import type { Driver } from '../../src/drivers/driver.js';
import { noop } from '../../src/initiator/noop.js';
import { sendsize } from '../../src/initiator/sendsize.js';
import {
  describeReal,
  openLab,
  programs,
  type Configuration,
  type Lab,
} from '../support/real-amanda.js';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

/** A program that is running, and what it has said. */
interface Running {
  readonly child: ChildProcess;
  readonly said: string[];
  readonly port: number;
}

async function startTableBackup(): Promise<Running> {
  const child = spawn(process.execPath, [join(examples, 'table-backup.mjs'), '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => said.push(line));
  const ended = once(child, 'exit').then(() => {
    throw new Error('it has ended before it listens');
  });
  const [first] = (await Promise.race([once(lines, 'line'), ended])) as [string];
  return { child, said, port: Number(/\d+$/.exec(first)?.[0]) };
}

/** Rows of the example's tables, as its files have them. */
function rows(count: number, name: string): string {
  return Array.from({ length: count }, (_, id) => `{"id":${id},"name":"${name} ${id}"}\n`).join('');
}

describeReal(
  'a program that serves its own tables',
  ['amcheck', 'amdump', 'amreport', 'amfetchdump', 'amrecover'],
  () => {
    let lab: Lab;
    let app: Running | undefined;
    let port = 0;
    let config: Configuration;
    /** amrecover's own questions go to the real amandad of the server. */
    let serverPort = 0;

    beforeAll(async () => {
      lab = openLab();
      ({ port: serverPort } = await lab.spawnTarget({
        command: programs.amandad,
        args: ['-auth=bsdtcp', 'amindexd', 'amidxtaped'],
      }));
      app = await startTableBackup();
      ({ port } = app);
      config = lab.configure({
        name: 'tables',
        auth: 'bsdtcp',
        clientPort: port,
        disks: [{ name: 'shop' }, { name: 'stock' }],
      });
    });
    afterAll(async () => {
      if (app !== undefined) {
        const gone = once(app.child, 'exit');
        app.child.kill();
        await gone;
      }
      await lab.close();
    });

    it('is found in order by amcheck', async () => {
      const { stdout, stderr, code } = await lab.asBackup(programs.amcheck, ['-c', config.name]);
      expect(stdout, stderr).toMatch(/^Client check: 1 host checked .* 0 problems found\.$/m);
      expect(code).toBe(0);
    });

    it('is backed up by amdump, and amreport has nothing to printError of', async () => {
      const { stdout, stderr, code } = await lab.asBackup(programs.amdump, [config.name], {
        timeout: 100_000,
      });
      expect(code, stdout + stderr + lab.sandbox.logs()).toBe(0);
      const report = await lab.asBackup(programs.amreport, [config.name]);
      expect(report.stdout).not.toMatch(/FAIL|STRANGE|MISSING/);
      expect(report.code).toBe(0);
    });

    it('has what is in it in the index of the server', () => {
      expect(indexed('shop')).toEqual([
        '/',
        ...[0, 1000, 2000].map((first) => `/customers/${first}.jsonl`),
        ...[0, 1000, 2000, 3000, 4000, 5000, 6000].map((first) => `/orders/${first}.jsonl`),
      ]);
      expect(indexed('stock')).toEqual(['/', '/articles/0.jsonl']);
    });

    it('gives one table back through amrecover, and no other', async () => {
      const place = await recover('setdisk shop', 'add customers');
      expect(files(place)).toEqual([
        'customers/0.jsonl',
        'customers/1000.jsonl',
        'customers/2000.jsonl',
      ]);
      expect(
        files(place)
          .map((name) => readFileSync(join(place, name), 'utf8'))
          .join(''),
      ).toBe(rows(2500, 'Customer'));
    });

    it('gives everything back through amrecover', async () => {
      const place = await recover('setdisk stock', 'add .');
      expect(files(place)).toEqual(['articles/0.jsonl']);
      expect(readFileSync(join(place, 'articles/0.jsonl'), 'utf8')).toBe(rows(300, 'Größe'));
    });

    it('is a plain archive in what amfetchdump fetches, of about the size that was estimated', async () => {
      const archive = await fetched('shop');
      const { stdout } = spawnSync(
        '/bin/tar',
        ['-xOf', '-', './customers/0.jsonl', './customers/1000.jsonl', './customers/2000.jsonl'],
        {
          input: archive,
          encoding: 'utf8',
        },
      );
      expect(stdout).toBe(rows(2500, 'Customer'));
      const dles = [{ program: 'GNUTAR', disk: 'shop' } as const];
      const estimate = await firstValueFrom(connect(driver('backup')).pipe(sendsize({ dles })));
      const kilobytes = estimate.kind === 'size' ? estimate.kilobytes : 0;
      expect(Math.abs(kilobytes - archive.length / 1024)).toBeLessThan(kilobytes / 10);
    });

    it('refuses another user of the same host', async () => {
      await expect(firstValueFrom(connect(driver('mallory')).pipe(noop()))).rejects.toMatchObject({
        code: 'REFUSED',
      });
      const line = expect.stringContaining(
        'is refused: user mallory from localhost is not allowed to execute the service noop',
      ) as unknown;
      await vi.waitFor(() => expect(app?.said).toContainEqual(line));
    });

    it('is watched by the other example', async () => {
      const { stdout, code } = await lab.asRoot(process.execPath, [
        join(examples, 'watch-fleet.mjs'),
        `localhost:${port}`,
        '127.0.0.1:1',
      ]);
      expect(stdout).toMatch(new RegExp(`localhost:${port}' +│ '128 features' +│ \\d+ `));
      expect(stdout).toMatch(/127\.0\.0\.1:1' +│ 'CONNECT_FAILED' +│ +│/);
      expect(code).toBe(1);
    });

    function driver(user: string): Driver {
      return bsdtcp({ host: 'localhost', port, user });
    }

    async function fetched(disk: string): Promise<Buffer> {
      const { output, stderr, code } = await lab.asBackup(programs.amfetchdump, [
        '-p',
        config.name,
        'localhost',
        `^${disk}$`,
      ]);
      expect(code, stderr).toBe(0);
      return output;
    }

    /** Lets amrecover extract into a folder of its own. */
    async function recover(...commands: readonly string[]): Promise<string> {
      const place = mkdtempSync(join(lab.sandbox.directory, 'recovered-'));
      const { stdout, stderr } = await lab.asRoot(
        programs.amrecover,
        [
          config.name,
          '-s',
          'localhost',
          '-t',
          'localhost',
          '-o',
          `auth=bsdtcp`,
          '-o',
          `client-port=${serverPort}`,
        ],
        {
          cwd: place,
          input: ['sethost localhost', ...commands, 'extract', 'Y', 'Y', 'quit', ''].join('\n'),
        },
      );
      expect(files(place), stdout + stderr).not.toEqual([]);
      return place;
    }

    /** The paths that the server shows of the one dump of a disk. */
    function indexed(disk: string): readonly string[] {
      const folder = join(config.index, 'localhost', disk);
      const name =
        readdirSync(folder).find((found) => /_0(-\w+)?\.gz$/.test(found)) ??
        expect.unreachable('there is no index');
      return gunzipSync(readFileSync(join(folder, name)))
        .toString()
        .trimEnd()
        .split('\n');
    }
  },
);

/** The files below a folder, by their paths. */
function files(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
