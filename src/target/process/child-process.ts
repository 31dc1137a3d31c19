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
export interface TerminationOptions {
  /** From closing its descriptors to SIGTERM. Default 3,000. */
  readonly beforeTerm?: number;
  /** From SIGTERM to SIGKILL. Default 2,000. */
  readonly beforeKill?: number;
  /** When it emits, SIGKILL is sent immediately. Default: never. */
  readonly killNow?: Observable<unknown>;
}

/**
 * Ends a process: waits for it, then sends SIGTERM, then SIGKILL.
 *
 * It waits for the process alone, not for processes that this one started.
 * Source: PROTOCOL.md, "Streams".
 */
export function reap(
  child: ChildProcess,
  { beforeTerm = 3_000, beforeKill = 2_000, killNow = NEVER }: TerminationOptions = {},
): void {
  if (child.pid === undefined || hasExited(child)) return;
  const inTurn = concat(signal('SIGTERM', beforeTerm), signal('SIGKILL', beforeKill));
  const immediately = killNow.pipe(
    map(() => 'SIGKILL' as const),
    take(1),
  );
  merge(inTurn.pipe(takeUntil(immediately)), immediately)
    .pipe(
      takeWhile((name) => name !== 'SIGKILL', true),
      takeUntil(fromEvent(child, 'exit')),
    )
    .subscribe((name) => child.kill(name));
}

function signal<T extends NodeJS.Signals>(name: T, after: number): Observable<T> {
  return timer(after).pipe(map(() => name));
}

/** Whether a process has ended and was waited for. */
export function hasExited({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/**
 * Keeps unread output of a child readable after the child exits.
 *
 * On exit Node reads the pipes in `child.stdio` to their end and drops what has no listener, so
 * this empties that list. `child.stdout` and the others stay.
 */
export function keepOutputAfterExit(child: ChildProcess): void {
  (child.stdio as unknown[]).fill(null);
}
