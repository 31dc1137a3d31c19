import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { firstValueFrom, map } from 'rxjs';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { connect, local, request } from '../../src/index.js';
import { rxAmandad } from '../support/program.js';
import { describeUnless, missingPrograms, notRoot } from '../support/skips.js';

/** Descriptors that a starter leaves open. Node itself marks those up to 15 as its own. */
const leaked = [3, 5, 9, 15, 17, 40, 100, 160, 400];

let folder = '';
const missing = missingPrograms('/bin/bash');
beforeAll(() => {
  folder = mkdtempSync('/tmp/rx-amanda-descriptors-');
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'libexec'));
  writeFileSync(
    join(folder, 'libexec', 'selfcheck'),
    '#!/bin/bash\ncat >/dev/null\necho "pid=$PPID"\nls /proc/$$/fd\n',
    { mode: 0o755 },
  );
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function run(command: string, args: readonly string[], stdio: StdioOptions): ChildProcess {
  const child = spawn(command, args, { stdio });
  children.push(child);
  return child;
}

/** bash keeps 255 for the script that it reads. */
const contract = ['0', '1', '2', ...[0, 1, 2, 3, 4, 5, 6, 7].map((more) => `${150 + more}`)];
const descriptorsIn = (text: string): readonly string[] =>
  text.split('\n').filter((line) => /^\d+$/.test(line) && line !== '255');

/** A script that opens the leaked descriptors on a file, then becomes the program. */
function leaking(...command: readonly string[]): string {
  const path = join(folder, `start-${Math.random()}`);
  const file = join(folder, 'secret');
  writeFileSync(file, '');
  const opened = leaked.map((number) => `${number}>>'${file}'`).join(' ');
  const words = command.map((word) => `'${word}'`).join(' ');
  writeFileSync(path, `#!/bin/bash\nexec ${opened}\nexec ${words}\n`, { mode: 0o755 });
  return path;
}

const stay = notRoot() === undefined ? ['-user=root'] : [];

describeUnless(missing, 'descriptors that a starter leaves open', () => {
  it('are open neither in a service nor in rx-amandad', async () => {
    const libexec = join(folder, 'libexec');
    const program = leaking(
      process.execPath,
      rxAmandad,
      '-auth=local',
      `-libexec=${libexec}`,
      ...stay,
    );
    const seen = await firstValueFrom(
      connect(local({ amandadPath: program }), { connectTries: 1 }).pipe(
        request('selfcheck'),
        map(({ text }) => ({
          text,
          own: leaked.map((number) => {
            try {
              return readlinkSync(`/proc/${/^pid=(\d+)/.exec(text)?.[1] ?? ''}/fd/${number}`);
            } catch {
              return 'closed';
            }
          }),
        })),
      ),
    );
    expect([...descriptorsIn(seen.text)].sort()).toEqual([...contract].sort());
    expect(seen.own).not.toContain(join(folder, 'secret'));
  });

  it.each([3, 9, 17, 160])(
    'end for their reader at once when they are pipes: %i',
    async (number) => {
      const script = `exec '${process.execPath}' '${rxAmandad}' -no-exit -tcp=0 -listen=127.0.0.1 ${stay.join(' ')} ${number}>&1 >/dev/null`;
      const child = run('/bin/bash', ['-c', script], ['ignore', 'pipe', 'pipe']);
      const ended = once(child.stdout as Readable, 'end');
      child.stdout?.resume();
      const listening = new Promise<void>((resolve) => {
        child.stderr?.on('data', (text: Buffer) => {
          if (text.includes('listening')) resolve();
        });
      });
      await ended;
      await listening;
      expect(child.exitCode).toBeNull();
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  );

  it('stay open when an option names them', async () => {
    const log = join(folder, 'log');
    const script = `exec '${process.execPath}' '${rxAmandad}' -no-exit -tcp=0 -listen=127.0.0.1 ${stay.join(' ')} -log=/dev/fd/40 40>>'${log}'`;
    const child = run('/bin/bash', ['-c', script], ['ignore', 'ignore', 'pipe']);
    await expect.poll(() => readFileSync(log, 'utf8')).toContain('listening');
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  it('do not take a socket of systemd with them', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const script = `export LISTEN_PID=$$ LISTEN_FDS=1; exec '${process.execPath}' '${rxAmandad}' ${stay.join(' ')} 17>&1`;
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    const child = run('/bin/bash', ['-c', script], ['ignore', 'ignore', 'pipe', fd]);
    const [text] = (await once(child.stderr as Readable, 'data')) as [Buffer];
    expect(text.toString()).toContain('listening on');
    child.kill('SIGKILL');
    await once(child, 'exit');
    server.close();
  });

  it('are not open in the services of a program that embeds the library', async () => {
    const program = fileURLToPath(new URL('../support/embedder.mjs', import.meta.url));
    const start = leaking(process.execPath, program, join(folder, 'libexec', 'selfcheck'));
    const child = run(start, [], ['ignore', 'pipe', 'inherit']);
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await once(child, 'close');
    expect([...descriptorsIn(text)].sort()).toEqual([...contract].sort());
  });
});
