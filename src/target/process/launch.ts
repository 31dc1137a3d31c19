import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { Observable } from 'rxjs';
import { AmandaError } from '../../wire/errors.js';
import { keepUnread } from './keep-unread.js';
import { hasExited, reap, type Patience } from './reap.js';
import { ServiceOutput } from './service-output.js';

/** How a service is started. Source: PROTOCOL.md, "Starting a service". */
export interface Launch {
  /** An absolute path. */
  readonly executable: string;
  /** What follows the executable's own name. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The descriptor with which the first stream begins. */
  readonly offset: number;
  /** How many streams there are; each takes two descriptors. */
  readonly count: number;
  /** For a service that is not wanted any more when it starts to run. */
  readonly patience: Patience;
}

/** How a process ended. */
export type Exit =
  | { readonly kind: 'code'; readonly number: number }
  | { readonly kind: 'signal'; readonly number: number };

/** A service that runs, and this side's end of everything that it has open. */
export interface Launched {
  readonly child: ChildProcess;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** What the service writes to each stream. */
  readonly outputs: readonly ServiceOutput[];
  /** What the service reads from each stream. */
  readonly inputs: readonly Socket[];
  readonly exit: Observable<Exit>;
}

/**
 * Starts a service with its descriptors where it looks for them, in the directory `/`, with the umask 077.
 *
 * Emits once, when it runs, and never completes. Errors with `SERVICE_FAILED` when no process can be
 * made. Source: PROTOCOL.md, "Starting a service".
 */
export function launch({
  executable,
  args,
  env,
  offset,
  count,
  patience,
}: Launch): Observable<Launched> {
  return new Observable((out) => {
    const child = spawn('/bin/sh', ['-c', SHELL, executable, ...args], {
      cwd: '/',
      env,
      stdio: descriptors(offset, count),
    });
    // Stays for good: a signal that may not be sent is an error too, and one without a listener would end this process.
    child.on('error', (cause) => {
      out.error(
        new AmandaError('SERVICE_FAILED', `cannot start ${executable}: ${cause.message}`, {
          cause,
        }),
      );
    });
    child.once('spawn', () => {
      const service = launched(child, offset, count);
      if (out.closed) release(service, patience);
      else out.next(service);
    });
  });
}

/** Closes everything that a service has open towards this side, and sees it to its end. */
export function release(
  { child, stdin, stdout, stderr, inputs, outputs }: Launched,
  patience: Patience,
): void {
  for (const end of [stdin, stdout, stderr, ...inputs, ...outputs]) end.destroy();
  reap(child, patience);
}

/**
 * Only a process itself can set its umask, so a shell does and then becomes the service. The variables
 * are those that shells add; the environment is to be the one that was given.
 */
const SHELL = 'umask 077; unset PWD OLDPWD; exec "$0" "$@"';

/** Between the standard descriptors and the streams nothing is open: `ignore` leaves such a descriptor closed. */
function descriptors(offset: number, count: number): ('pipe' | 'ignore')[] {
  return Array.from({ length: offset + 2 * count }, (_, descriptor) =>
    descriptor < 3 || descriptor >= offset ? 'pipe' : 'ignore',
  );
}

function launched(child: ChildProcess, offset: number, count: number): Launched {
  const ends = child.stdio.map((end) => (end instanceof Socket ? end : undefined));
  keepUnread(child);
  const end = (descriptor: number): Socket => {
    const socket = ends[descriptor];
    if (socket === undefined)
      throw new AmandaError('SERVICE_FAILED', `descriptor ${descriptor} of a service is missing`);
    // What breaks on a service's side shows as the end of what it reads or writes.
    return socket.on('error', () => undefined);
  };
  return {
    child,
    stdin: end(0),
    stdout: end(1),
    stderr: end(2),
    outputs: Array.from(
      { length: count },
      (_, stream) => new ServiceOutput(end(offset + 2 * stream)),
    ),
    inputs: Array.from({ length: count }, (_, stream) => end(offset + 2 * stream + 1)),
    exit: exitOf(child),
  };
}

function exitOf(child: ChildProcess): Observable<Exit> {
  return new Observable((out) => {
    const told = (code: number | null, signal: NodeJS.Signals | null): void => {
      out.next(
        signal === null
          ? { kind: 'code', number: code ?? 0 }
          : { kind: 'signal', number: constants.signals[signal] },
      );
      out.complete();
    };
    if (hasExited(child)) told(child.exitCode, child.signalCode);
    else child.once('exit', told);
    return () => child.off('exit', told);
  });
}
