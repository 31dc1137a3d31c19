import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { Observable } from 'rxjs';
import type { Peer } from '../connection/channel.js';
import type { Connection } from '../connection/connection.js';
import type { ConnectionOptions } from '../connection/options.js';
import { TcpmConnection } from '../connection/tcpm-connection.js';
import { AmandaError } from '../wire/errors.js';
import { printable } from '../wire/text.js';
import { StreamChannel } from './stream-channel.js';
import { yieldConnection } from './yield-connection.js';

/** A command whose standard input and output are the channel. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Bytes of a command's standard error that are kept to explain its end. */
const STDERR_BYTES = 4_096;

/** After this many milliseconds a command that does not end on SIGTERM gets SIGKILL. */
const KILL_AFTER = 3_000;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * A connection through a command: `amandad` itself, or `ssh` to it.
 *
 * Errors with `COMMAND_FAILED` when the command cannot be started or ends with something still open;
 * its standard error is part of the message. Unsubscribing ends the command: its input is closed, then SIGTERM, then SIGKILL.
 */
export function throughCommand(command: Command, peer: Peer, options: ConnectionOptions): Observable<Connection> {
  return new Observable((out) => {
    const child = spawn(command.program, command.args, { stdio: ['pipe', 'pipe', 'pipe'], env: command.env ?? process.env });
    const told = collectText(child.stderr);
    const exited = exitOf(child);
    let isOpen = false;
    child.once('error', (cause) => {
      if (!isOpen) out.error(new AmandaError('COMMAND_FAILED', `Cannot start ${command.program}: ${cause.message}.`, { cause, peer: peer.driver }));
    });
    child.once('spawn', () => {
      if (out.closed) return;
      isOpen = true;
      const channel = new StreamChannel({
        input: child.stdout,
        output: child.stdin,
        peer,
        release: () => {
          endChild(child);
        },
        explain: async () => explainExit(command, await exited, told()),
      });
      yieldConnection(new TcpmConnection(channel, { side: 'initiator', user: undefined }, options), out);
    });
    return () => {
      if (!isOpen) endChild(child);
    };
  });
}

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

function exitOf(child: Child): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
  });
}

function collectText(stream: Readable): () => string {
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    if (text.length < STDERR_BYTES) text += chunk.toString('utf8').slice(0, STDERR_BYTES - text.length);
  });
  return () => text.trim();
}

/** A command that ends by itself and says nothing has just hung up. */
function explainExit({ program }: Command, { code, signal }: Exit, said: string): AmandaError | undefined {
  if (code === 0 && said === '') return undefined;
  const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
  return new AmandaError('COMMAND_FAILED', `${program} ended with ${how}${said === '' ? '' : `, saying: ${printable(said, 1_000)}`}.`);
}

/** Closing its input asks a command to end; what does not listen is told by signal. */
function endChild(child: Child): void {
  child.stdin.destroy();
  child.stdout.destroy();
  child.stderr.destroy();
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill('SIGTERM');
  const limit = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER);
  child.once('exit', () => {
    clearTimeout(limit);
  });
}
