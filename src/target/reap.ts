import type { ChildProcess } from 'node:child_process';
import { concat, fromEvent, takeUntil, tap, timer } from 'rxjs';

/** How long a process may take to end, in milliseconds. */
export interface Patience {
  /** After its descriptors have been closed, before SIGTERM. Default 3,000. */
  readonly beforeTerm?: number;
  /** After SIGTERM, before SIGKILL. Default 2,000. */
  readonly beforeKill?: number;
}

/**
 * Sees a process to its end: it is left alone for a while, then told by SIGTERM, then ended by SIGKILL.
 *
 * It waits for the process only, not for what the process has left behind. Source: PROTOCOL.md, "Streams".
 */
export function reap(child: ChildProcess, { beforeTerm = 3_000, beforeKill = 2_000 }: Patience = {}): void {
  if (child.pid === undefined || hasExited(child)) return;
  const term = timer(beforeTerm).pipe(tap(() => child.kill('SIGTERM')));
  const kill = timer(beforeKill).pipe(tap(() => child.kill('SIGKILL')));
  concat(term, kill)
    .pipe(takeUntil(fromEvent(child, 'exit')))
    .subscribe();
}

/** Whether a process has ended; there is no zombie of it then. */
export function hasExited({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
