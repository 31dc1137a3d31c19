import type { ChildProcess } from 'node:child_process';
import {
  NEVER,
  concat,
  fromEvent,
  map,
  merge,
  take,
  takeUntil,
  takeWhile,
  timer,
  type Observable,
} from 'rxjs';

/** How long a process may take to end, in milliseconds. */
export interface Patience {
  /** After its descriptors have been closed, before SIGTERM. Default 3,000. */
  readonly beforeTerm?: number;
  /** After SIGTERM, before SIGKILL. Default 2,000. */
  readonly beforeKill?: number;
  /** When it emits, SIGKILL comes at once. Default: never. */
  readonly hurry?: Observable<unknown>;
}

/**
 * Sees a process to its end: it is left alone for a while, then told by SIGTERM, then ended by SIGKILL.
 *
 * It waits for the process only, not for what the process has left behind. Source: PROTOCOL.md, "Streams".
 */
export function reap(
  child: ChildProcess,
  { beforeTerm = 3_000, beforeKill = 2_000, hurry = NEVER }: Patience = {},
): void {
  if (child.pid === undefined || hasExited(child)) return;
  const told = concat(signal('SIGTERM', beforeTerm), signal('SIGKILL', beforeKill));
  const hurried = hurry.pipe(
    map(() => 'SIGKILL' as const),
    take(1),
  );
  merge(told.pipe(takeUntil(hurried)), hurried)
    .pipe(
      takeWhile((name) => name !== 'SIGKILL', true),
      takeUntil(fromEvent(child, 'exit')),
    )
    .subscribe((name) => child.kill(name));
}

function signal<T extends NodeJS.Signals>(name: T, after: number): Observable<T> {
  return timer(after).pipe(map(() => name));
}

/** Whether a process has ended; there is no zombie of it then. */
export function hasExited({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
