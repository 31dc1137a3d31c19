import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { Observable } from 'rxjs';
import type { Peer } from '../transport/channel.js';
import type { Connection } from '../connection/connection.js';
import type { ConnectionOptions } from '../connection/options.js';
import { TcpmConnection } from '../connection/tcpm-connection.js';
import { AmandaError } from '../wire/errors.js';
import { printable } from '../wire/text.js';
import { withPipes } from '../transport/child-pipes.js';
import { StreamChannel } from '../transport/stream-channel.js';
import { yieldConnection } from './yield-connection.js';

/** A command whose standard input and output are the channel. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /**
   * Whether it gets a process group, which ends with it: ssh starts others (ProxyJump). Default
   * false.
   */
  readonly leadsGroup?: boolean;
  /**
   * The error that its end means; undefined for a plain hang-up. Default: exit code 0 in silence is
   * one.
   */
  readonly explain?: (end: CommandEnd) => AmandaError | undefined;
}

/** How a command ended. */
export interface CommandEnd {
  readonly program: string;
  /** The exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote to standard error, at most 4,096 characters. */
  readonly said: string;
}

/**
 * Last characters of standard error that are kept to explain the end; the reason follows the
 * warnings.
 */
const STDERR_CHARACTERS = 4_096;

/**
 * Milliseconds to wait for the command's end after its output has closed, and then for its standard
 * error.
 */
const EXPLAIN_WITHIN = 2_000;

/** Milliseconds from SIGTERM to SIGKILL. */
const KILL_AFTER = 3_000;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * A connection through a command: `amandad` itself, or `ssh` to it.
 *
 * Errors with `COMMAND_FAILED` when the command cannot be started or ends with something still
 * open; its standard error is part of the message. Unsubscribing closes its input, then sends
 * SIGTERM, then SIGKILL.
 */
export function throughCommand(
  command: Command,
  peer: Peer,
  options: ConnectionOptions,
): Observable<Connection> {
  return new Observable((out) => {
    const { program, explain = explainEnd, leadsGroup = false } = command;
    const notStarted = (cause: unknown): void => {
      out.error(cannotStart(program, cause, peer));
    };
    let child: Child;
    try {
      child = withPipes(3, () =>
        spawn(program, command.args, {
          stdio: ['pipe', 'pipe', 'pipe'],
          env: command.env ?? process.env,
          detached: leadsGroup,
        }),
      );
    } catch (cause) {
      notStarted(cause);
      return;
    }
    const end = endOf(child, program);
    let isOpen = false;
    child.once('error', (cause) => {
      if (!isOpen) notStarted(cause);
    });
    child.once('spawn', () => {
      if (out.closed) return;
      isOpen = true;
      const channel = new StreamChannel({
        input: child.stdout,
        output: child.stdin,
        peer,
        release: () => {
          endChild(child, leadsGroup);
        },
        explain: async () => {
          const ended = await end();
          return ended === undefined ? undefined : explain(ended);
        },
      });
      yieldConnection(
        new TcpmConnection(channel, { side: 'initiator', user: undefined }, options),
        out,
      );
    });
    return () => {
      if (!isOpen) endChild(child, leadsGroup);
    };
  });
}

/** How a command ended and what it said, in one line. */
export function describeEnd(who: string, { code, signal, said }: CommandEnd): string {
  const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
  const words = said.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  return `${who} ended with ${how}${words.length === 0 ? '' : `, saying: ${printable(words.join('; ').slice(-1_000), 1_000).replace(/[.;,]$/, '')}`}.`;
}

const ADVICE: Readonly<Record<string, string>> = {
  ENOENT: ' Is it installed, and is this its path?',
  EACCES: ' Is it a program, and may this user run it?',
};

function cannotStart(program: string, cause: unknown, { driver }: Peer): AmandaError {
  const { code, message } =
    cause instanceof Error
      ? (cause as NodeJS.ErrnoException)
      : { code: undefined, message: String(cause) };
  const advice = ADVICE[code ?? ''] ?? '';
  return new AmandaError(
    'COMMAND_FAILED',
    `Cannot start ${printable(program)}: ${printable(message)}.${advice}`,
    { cause, peer: driver },
  );
}

/** Resolves to how a child ended, with its last words; to undefined if that takes too long. */
function endOf(child: Child, program: string): () => Promise<CommandEnd | undefined> {
  const said = collectText(child.stderr);
  const exited = new Promise<Omit<CommandEnd, 'program' | 'said'>>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
  });
  const silent = Promise.all(
    [child.stdout, child.stderr].map(
      (stream) => new Promise((resolve) => stream.once('close', resolve)),
    ),
  );
  return async () => {
    const exit = await within(EXPLAIN_WITHIN, exited);
    if (exit === undefined) return undefined;
    // Its last words explain the end best. A grandchild may keep the output open, so the wait is
    // bounded.
    await within(EXPLAIN_WITHIN, silent);
    return { program, ...exit, said: said() };
  };
}

/** Not protocol time: the command is on this host. */
function within<T>(milliseconds: number, value: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => {
      resolve(undefined);
    }, milliseconds);
    void value.then((settled) => {
      clearTimeout(limit);
      resolve(settled);
    });
  });
}

function collectText(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-STDERR_CHARACTERS);
  });
  return () => text.trim();
}

/** A command that exits with 0 and prints nothing has closed the connection. */
function explainEnd(end: CommandEnd): AmandaError | undefined {
  if (end.code === 0 && end.said === '') return undefined;
  return new AmandaError('COMMAND_FAILED', describeEnd(end.program, end));
}

/** Ends a command: closes its input, then sends signals. */
function endChild(child: Child, leadsGroup: boolean): void {
  child.stdin.destroy();
  child.stdout.destroy();
  child.stderr.destroy();
  const { pid } = child;
  if (child.exitCode !== null || child.signalCode !== null || pid === undefined) return;
  const signal = (name: NodeJS.Signals): void => {
    if (leadsGroup) signalGroup(pid, name);
    else child.kill(name);
  };
  signal('SIGTERM');
  const limit = setTimeout(signal, KILL_AFTER, 'SIGKILL');
  child.once('exit', () => {
    clearTimeout(limit);
  });
}

/** The leader is not reaped yet, so its number is not used again. */
function signalGroup(leader: number, name: NodeJS.Signals): void {
  try {
    process.kill(-leader, name);
  } catch {
    // The group does not exist yet, or has ended.
  }
}
