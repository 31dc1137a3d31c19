import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { firstValueFrom } from 'rxjs';
import { connect } from '../../initiator/connect.js';
import { bsdtcp } from '../../drivers/bsdtcp.js';
import { noop } from '../../initiator/noop.js';
import { isAmandaError } from '../../wire/errors.js';
import { printable } from '../../wire/text.js';

/** Milliseconds after which a program that has not answered, or not ended, has gone wrong. */
const WITHIN = 30_000;

/**
 * Has the program answer a noop as inetd would have it, so that V8 compiles what every connection needs, and leave its compiled form behind. Resolves to a sentence
 * for what failed. Root's noop comes from a reserved port and is let in; anybody else's is refused, which takes nearly as much of the program.
 */
export async function precompile(program: string): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'rx-amandad-'));
  const server = createServer({ pauseOnConnect: true });
  try {
    const rules = join(folder, 'amandahosts');
    const user = userInfo().username;
    writeFileSync(rules, `localhost ${user} noop\n`, { mode: 0o600 });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const asking = new AbortController();
    const [ended, asked] = await Promise.allSettled([
      inetd(
        server,
        [
          program,
          '-compiling',
          '-own',
          '-no-config',
          `-amandahosts=${rules}`,
          `-user=${user}`,
          'amdump',
        ],
        asking.signal,
      ),
      ask(server, asking),
    ]);
    // What the program says comes first: that it did not answer is the least of it.
    if (ended.status === 'fulfilled' && (ended.value.said !== '' || ended.value.code !== 0))
      return failed(ended.value.said || `it ended with ${ended.value.code ?? 'a signal'}`);
    return asked.status === 'rejected' ? failed(wordsOf(asked.reason)) : undefined;
  } catch (error) {
    return failed(wordsOf(error));
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts the program with the first connection as its standard input and output. Rejects when `signal` is aborted before there is one. */
async function inetd(
  server: Server,
  words: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly code: number | null; readonly said: string }> {
  const [socket] = (await once(server, 'connection', { signal })) as [Socket];
  // A socket of systemd is not for the program that is started here.
  const { LISTEN_FDS: _, ...env } = process.env;
  const child = spawn(process.execPath, words, {
    stdio: [socket, socket, 'pipe'],
    env,
    timeout: WITHIN,
  });
  socket.destroy();
  const [[code], said] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>,
    text(child.stderr),
  ]);
  return { code, said: said.trim() };
}

async function ask(server: Server, asking: AbortController): Promise<void> {
  const { port } = server.address() as AddressInfo;
  const isRoot = process.getuid?.() === 0;
  try {
    await firstValueFrom(
      connect(
        bsdtcp({ host: '127.0.0.1', port, ...(isRoot ? {} : { reservedPorts: false }) }),
      ).pipe(noop()),
      { defaultValue: undefined },
    );
  } catch (error) {
    if (isAmandaError(error, 'REFUSED')) return;
    asking.abort();
    throw error;
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function failed(why: string): string {
  return `rx-amandad: no compiled form was made: ${printable(why, 400)}`;
}
