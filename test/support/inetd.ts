import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { keepWhileAlive, killGroup, type Sandbox, type StartOptions } from './sandbox.js';

/** A program that serves one connection: `/usr/lib/amanda/amandad -auth=bsdtcp amdump`, or ours. */
export interface TargetCommand extends Pick<StartOptions, 'user' | 'environment'> {
  readonly command: string;
  readonly args?: readonly string[];
}

/** A TCP port that starts a program for each connection. */
export interface Target {
  /** On 127.0.0.1. */
  readonly port: number;
  /** One for each connection so far, in order. */
  readonly served: readonly Served[];
  /** Stops listening and ends the programs that still run. */
  close(): Promise<void>;
}

/** One connection and the program that serves it. */
export interface Served {
  readonly pid: number | undefined;
  /** How the program ended; a signal counts as null. */
  readonly ended: Promise<number | null>;
  /** What it has written to its standard error so far. */
  messages(): string;
}

/**
 * An inetd in this process: for every connection it starts the program, in the sandbox, with the
 * socket itself as standard input and output. Standard error is a pipe of ours, so that the socket
 * closes when the program closes it.
 */
export async function spawnTarget(
  sandbox: Sandbox,
  { command, args = [], ...options }: TargetCommand,
): Promise<Target> {
  const served: Served[] = [];
  const children = new Set<ChildProcess>();
  // Paused, so that no byte is read here that the program is to read.
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const child = sandbox.start(command, args, {
      ...options,
      cwd: '/',
      stdio: [socket, socket, 'pipe'],
    });
    keepWhileAlive(children, child);
    served.push(serving(child, socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    served,
    async close() {
      server.close();
      for (const child of children) killGroup(child);
      await Promise.all(served.map(({ ended }) => ended));
    },
  };
}

function serving(child: ChildProcess, socket: Socket): Served {
  const messages: Buffer[] = [];
  child.stderr?.on('data', (chunk: Buffer) => messages.push(chunk));
  // The program has its own copy of the descriptor by now; ours must not keep the connection open.
  socket.on('error', () => {});
  socket.destroy();
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code));
  });
  return { pid: child.pid, ended, messages: () => Buffer.concat(messages).toString() };
}
