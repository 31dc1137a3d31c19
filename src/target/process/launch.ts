import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { Observable } from 'rxjs';
import { withPipes } from '../../transport/child-pipes.js';
import { openDescriptors } from '../../transport/inherited-descriptors.js';
import { AmandaError } from '../../wire/errors.js';
import { messageOf } from '../../wire/text.js';
import { hasExited, keepOutputAfterExit, reap, type TerminationOptions } from './child-process.js';
import { ServiceOutput } from './service-output.js';

/** How a service is started. Source: PROTOCOL.md, "Starting a service". */
export interface LaunchOptions {
  /** An absolute path. */
  readonly executable: string;
  /** The arguments after the executable's own name. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The first descriptor of the first stream. */
  readonly offset: number;
  /** The number of streams; each takes two descriptors. */
  readonly count: number;
  /** For a service that is cancelled before it runs. */
  readonly termination: TerminationOptions;
}

/** How a process ended. */
export type Exit =
  | { readonly kind: 'code'; readonly number: number }
  | { readonly kind: 'signal'; readonly number: number };

/** A running service, and this side's end of its descriptors. */
export interface ServiceProcess {
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
 * Starts a service in the directory `/`, with the umask 077 and its descriptors in their places.
 *
 * Emits once, when the process runs, and never completes. Errors with `SERVICE_FAILED` when it
 * cannot be started. Source: PROTOCOL.md, "Starting a service".
 */
export function launch({
  executable,
  args,
  env,
  offset,
  count,
  termination,
}: LaunchOptions): Observable<ServiceProcess> {
  return new Observable((out) => {
    const notStarted = (cause: unknown): void => {
      out.error(
        new AmandaError('SERVICE_FAILED', `cannot start ${executable}: ${messageOf(cause)}`, {
          cause,
        }),
      );
    };
    let child: ChildProcess;
    try {
      const [shell, ...words] = launcher(offset, count);
      child = withPipes(3 + 2 * count, () =>
        spawn(shell, [...words, executable, ...args], {
          cwd: '/',
          env,
          stdio: descriptors(offset, count),
        }),
      );
    } catch (cause) {
      notStarted(cause);
      return;
    }
    // Never removed: an unhandled error ends this process, and a signal that fails is one too.
    child.on('error', notStarted);
    child.once('spawn', () => {
      const service = serviceProcess(child, offset, count);
      if (out.closed) terminate(service, termination);
      else out.next(service);
    });
  });
}

/** Closes a service's descriptors and ends it. */
export function terminate(
  { child, stdin, stdout, stderr, inputs, outputs }: ServiceProcess,
  options: TerminationOptions,
): void {
  for (const end of [stdin, stdout, stderr, ...inputs, ...outputs]) end.destroy();
  reap(child, options);
}

/**
 * Only a process itself can set its umask, so a shell sets it and then becomes the service. It
 * removes the variables that shells add to the given environment.
 */
const SHELL = 'umask 077; unset PWD OLDPWD; exec "$0" "$@"';

/** Closes descriptors that `sh` cannot name, and takes away the variables that bash adds. */
const CLOSING = 'exec /usr/bin/env -u _ -u SHLVL /bin/sh -c "$@"';
const BASH = '/bin/bash';

/**
 * The start of a service's command line. Descriptors that this process got from its starter go to
 * every program that it starts; where there are any, bash closes them.
 */
function launcher(offset: number, count: number): readonly [string, ...string[]] {
  const extra = passedOn().filter((number) => number < offset || number >= offset + 2 * count);
  if (extra.length === 0) return ['/bin/sh', '-c', SHELL];
  if (!existsSync(BASH)) {
    process.emitWarning(
      `Services get the descriptors ${extra.join(', ')}, which this process has inherited and cannot close without ${BASH}.`,
      { type: 'AmandaWarning', code: 'DESCRIPTORS_INHERITED' },
    );
    return ['/bin/sh', '-c', SHELL];
  }
  const closed = extra.map((number) => `${number}>&-`).join(' ');
  // It reads neither BASH_ENV nor, because its standard input is a socket, .bashrc.
  return [BASH, '--posix', '--norc', '-c', `exec ${closed}; ${CLOSING}`, BASH, SHELL];
}

let inherited: readonly number[] | undefined;

/** Listed once: Node opens nothing that is passed on. */
function passedOn(): readonly number[] {
  return (inherited ??= openDescriptors()
    .filter(({ isPassedOn }) => isPassedOn)
    .map(({ number }) => number));
}

/** `ignore` leaves a descriptor as it is, which is closed unless it was inherited. */
function descriptors(offset: number, count: number): ('pipe' | 'ignore')[] {
  return Array.from({ length: offset + 2 * count }, (_, descriptor) =>
    descriptor < 3 || descriptor >= offset ? 'pipe' : 'ignore',
  );
}

function serviceProcess(child: ChildProcess, offset: number, count: number): ServiceProcess {
  const ends = child.stdio.map((end) => (end instanceof Socket ? end : undefined));
  keepOutputAfterExit(child);
  const end = (descriptor: number): Socket => {
    const socket = ends[descriptor];
    if (socket === undefined)
      throw new AmandaError('SERVICE_FAILED', `descriptor ${descriptor} of a service is missing`);
    // An error on the service's side also shows as the end of the pipe.
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
    const exited = (code: number | null, signal: NodeJS.Signals | null): void => {
      out.next(
        signal === null
          ? { kind: 'code', number: code ?? 0 }
          : { kind: 'signal', number: constants.signals[signal] },
      );
      out.complete();
    };
    if (hasExited(child)) exited(child.exitCode, child.signalCode);
    else child.once('exit', exited);
    return () => child.off('exit', exited);
  });
}
