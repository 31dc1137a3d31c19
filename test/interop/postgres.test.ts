import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  openLab,
  programs,
  whyNotReal,
  type Configuration,
  type Lab,
} from '../support/real-amanda.js';
import { describeUnless } from '../support/skips.js';

const example = fileURLToPath(new URL('../../examples/postgres-backup.mjs', import.meta.url));
const installed = '/usr/lib/postgresql';
const version = existsSync(installed) ? readdirSync(installed).sort().at(-1) : undefined;
const bin = join(installed, version ?? 'none', 'bin');
const whyNot =
  whyNotReal('amcheck', 'amdump', 'amadmin', 'amrecover') ??
  (existsSync(join(bin, 'initdb')) ? undefined : 'there is no PostgreSQL');

const rowsOf = `SELECT id, owner, balance FROM account ORDER BY id;
  SELECT id, "from", "to", amount FROM transfer ORDER BY id; SELECT * FROM note ORDER BY 1`;

describeUnless(whyNot, 'PostgreSQL as an entry of the disk list', () => {
  let lab: Lab;
  let config: Configuration;
  let folder = '';
  let environment: NodeJS.ProcessEnv = {};
  const started: ChildProcess[] = [];
  const said: string[] = [];
  let serverPort = 0;

  /** Statements of one connection; the rows as text. */
  function sql(database: string, ...statements: readonly string[]): string {
    const words = statements.flatMap((statement) => ['-c', statement]);
    const options = { env: environment, encoding: 'utf8' } as const;
    const { stdout, stderr, status } = spawnSync('psql', ['-qAt', database, ...words], options);
    expect(status, stderr).toBe(0);
    return stdout;
  }

  async function run(program: string, ...words: readonly string[]): Promise<string> {
    const { stdout, stderr, code } = await lab.asBackup(program, words, { timeout: 100_000 });
    expect(code, stdout + stderr + said.join('\n') + lab.sandbox.logs()).toBe(0);
    return stdout;
  }

  function startProgram(command: string, words: readonly string[], uid?: number): ChildProcess {
    const child = spawn(command, words, {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid }),
    });
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => said.push(line));
    started.push(child);
    return child;
  }

  beforeAll(async () => {
    lab = openLab();
    folder = mkdtempSync(join(lab.sandbox.directory, 'postgres-'));
    const data = join(folder, 'data');
    const uid = Number(spawnSync('id', ['-u', 'postgres'], { encoding: 'utf8' }).stdout);
    mkdirSync(data, { mode: 0o700 });
    for (const path of [folder, data]) chownSync(path, uid, uid);
    environment = {
      PATH: `${bin}:/usr/bin:/bin`,
      LC_ALL: 'C.UTF-8',
      PGHOST: folder,
      PGUSER: 'admin',
    };
    const made = spawnSync(join(bin, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'admin', '-N'], {
      uid,
      env: environment,
      encoding: 'utf8',
    });
    expect(made.status, made.stderr).toBe(0);
    startProgram(
      join(bin, 'postgres'),
      ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-F'],
      uid,
    );
    await vi.waitFor(
      () => expect(spawnSync('psql', ['-c', '', 'postgres'], { env: environment }).status).toBe(0),
      { timeout: 20_000, interval: 100 },
    );
    sql('postgres', 'CREATE DATABASE shop', 'CREATE DATABASE restored');
    sql(
      'shop',
      `CREATE TABLE account (id int PRIMARY KEY, owner text, balance int);
       CREATE TABLE transfer (id serial PRIMARY KEY, "from" int, "to" int, amount int);
       CREATE TABLE note (line text);
       INSERT INTO account SELECT n, 'Größe "' || n || E'"\\n,', 100 FROM generate_series(1, 2000) n;
       INSERT INTO note VALUES ('no key'), (NULL), ('')`,
    );
    ({ port: serverPort } = await lab.spawnTarget({
      command: programs.amandad,
      args: ['-auth=bsdtcp', 'amindexd', 'amidxtaped'],
    }));
    startProgram(process.execPath, [example, 'serve', 'shop', '0', join(folder, 'dumps.json')]);
    const port = await vi.waitFor(
      () =>
        Number(
          /port (\d+)/.exec(said.find((line) => line.startsWith('listening on port')) ?? '')?.[1] ??
            expect.unreachable(said.join('\n')),
        ),
      { timeout: 20_000 },
    );
    config = lab.configure({
      auth: 'bsdtcp',
      clientPort: port,
      disks: [{ name: 'shop' }],
      incremental: true,
      dumptype: ['compress client fast'],
    });
  });
  afterAll(async () => {
    for (const child of started.reverse()) {
      if (child.exitCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGINT');
      await gone;
    }
    await lab.close();
  });

  /** Moves money until it is stopped, in transactions that keep the sum. */
  function writing(): () => Promise<unknown> {
    const child = startProgram('psql', [
      '-q',
      'shop',
      '-c',
      `DO $$ BEGIN FOR n IN 1..1000000 LOOP
      UPDATE account SET balance = balance - 1 WHERE id = n % 2000 + 1;
      UPDATE account SET balance = balance + 1 WHERE id = (n * 7) % 2000 + 1;
      INSERT INTO transfer ("from", "to", amount) VALUES (n % 2000 + 1, (n * 7) % 2000 + 1, 1);
      COMMIT; PERFORM pg_sleep(0.001); END LOOP; END $$`,
    ]);
    return async () => {
      const gone = once(child, 'exit');
      child.kill('SIGINT');
      await gone;
    };
  }

  it('is dumped at three levels, while writes go on', async () => {
    expect(await run(programs.amcheck, '-c', config.name)).toContain('0 problems found');
    const stop = writing();
    await run(programs.amdump, config.name);
    sql(
      'shop',
      'DELETE FROM account WHERE id % 100 = 0',
      `UPDATE note SET line = 'changed' WHERE line = ''`,
    );
    await run(programs.amadmin, config.name, 'force-bump', 'localhost');
    await run(programs.amdump, config.name);
    await stop();
    sql(
      'shop',
      'DELETE FROM transfer WHERE id % 3 = 0',
      `INSERT INTO account VALUES (9999, 'new', 1)`,
    );
    await run(programs.amadmin, config.name, 'force-bump', 'localhost');
    await run(programs.amdump, config.name);
    await vi.waitFor(() =>
      expect(said.filter((line) => line.startsWith('level'))).toEqual(
        [0, 1, 2].map((level) => `level ${level} of shop: whole`),
      ),
    );
  });

  it('is restored by amrecover into an empty database, with all rows equal', async () => {
    const place = mkdtempSync(join(folder, 'recovered-'));
    const { stdout, stderr } = await lab.asRoot(
      programs.amrecover,
      [
        config.name,
        '-s',
        'localhost',
        '-t',
        'localhost',
        '-o',
        'auth=bsdtcp',
        '-o',
        `client-port=${serverPort}`,
      ],
      {
        cwd: place,
        input: 'sethost localhost\nsetdisk shop\nadd .\nextract\nY\nY\nY\nY\nY\nquit\n',
      },
    );
    const loaded = spawnSync(process.execPath, [example, 'load', 'restored', place], {
      env: environment,
      encoding: 'utf8',
    });
    expect(loaded.status, stdout + stderr + loaded.stderr).toBe(0);
    expect(sql('restored', rowsOf)).toBe(sql('shop', rowsOf));
    expect(Number(sql('restored', 'SELECT count(*) FROM account').trim())).toBe(1981);
  });
});
