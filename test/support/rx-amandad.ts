import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { rxAmandad } from './program.js';
import { killGroup, type Sandbox } from './sandbox.js';

/** What the administrator of a server that is its own client names on amandad's command line. */
export const allServices = ['amdump', 'amindexd', 'amidxtaped'] as const;

/** A target that was started, and where it is. */
export interface Started {
  readonly port: number;
  readonly pid: number | undefined;
  /** What it has said so far, for the message of a failing test. */
  readonly messages: () => string;
  readonly close: () => Promise<void>;
}

/**
 * Writes an executable that stands where amandad stood, with further words of its own: who starts
 * it has a PATH without node.
 */
export function installRxAmandad(sandbox: Sandbox, ...words: readonly string[]): string {
  const path = join(sandbox.directory, 'rx-amandad');
  writeFileSync(
    path,
    `#!/bin/sh\nexec '${process.execPath}' '${rxAmandad}' ${words.join(' ')} "$@"\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

/**
 * The real xinetd on a port of the loopback, as user root; for each connection it starts a program
 * as user backup. With `wait` it starts one for the first, which takes those that follow itself.
 */
export async function startXinetd(
  sandbox: Sandbox,
  server: string,
  args: readonly string[],
  wait: 'yes' | 'no' = 'no',
): Promise<Started> {
  const port = await freePort();
  const file = join(sandbox.directory, 'xinetd.conf');
  writeFileSync(
    file,
    `service rx-amandad
{
    type = UNLISTED
    disable = no
    flags = IPv4
    bind = 127.0.0.1
    port = ${port}
    socket_type = stream
    protocol = tcp
    wait = ${wait}
    user = backup
    group = backup
    groups = yes
    server = ${server}
    server_args = ${args.join(' ')}
}
`,
  );
  const pidFile = join(sandbox.directory, 'xinetd.pid');
  // It opens its log by name, which takes a pipe of the shell's: Node's own are sockets.
  const script = `/usr/sbin/xinetd -dontfork -f ${file} -filelog /dev/stderr -pidfile ${pidFile} 2>&1 | cat >&2`;
  const child = sandbox.start('/bin/sh', ['-c', script], { user: 'root', cwd: '/' });
  return whenSaid(child, /Started working: 1 available service/, () => port);
}

/** rx-amandad as a daemon of its own, as user backup. */
export function startDaemon(
  sandbox: Sandbox,
  args: readonly string[] = allServices,
): Promise<Started> {
  const words = ['-auth=bsdtcp', '-no-exit', '-tcp=0', '-listen=127.0.0.1', ...args];
  const child = sandbox.start(installRxAmandad(sandbox), words, { cwd: '/' });
  return whenSaid(child, /listening on 127\.0\.0\.1 port (\d+)/, (port) => Number(port));
}

/** Waits until a program has said a line on standard error that tells its port. */
async function whenSaid(
  child: ChildProcess,
  line: RegExp,
  portOf: (found: string | undefined) => number,
): Promise<Started> {
  const said: string[] = [];
  const ended = once(child, 'exit');
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stderr as Readable }).on('line', (text) => {
      said.push(text);
      const found = line.exec(text);
      if (found !== null) resolve(portOf(found[1]));
    });
    child.on('exit', (code, signal) =>
      reject(new Error(`It ended with ${code ?? signal} before it listened:\n${said.join('\n')}`)),
    );
  });
  return {
    port,
    pid: child.pid,
    messages: () => said.join('\n'),
    close: async () => {
      killGroup(child);
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
