import { finalize, tap, type MonoTypeOperatorFunction } from 'rxjs';
import type { DumpEvent, DumpProgress } from '../../../initiator/receive-dump.js';
import type { Output } from '../output.js';
import type { ProcessEnvironment } from '../environment.js';
import { count, formatBytes } from '../../terminal/units.js';

/** Milliseconds between two progress lines: often on a terminal, seldom in a log. */
export function progressInterval({ stderr }: ProcessEnvironment): number {
  return stderr.isTTY === true ? 200 : 5_000;
}

/**
 * Shows the progress of a dump: one changing line on a terminal, else several lines. Nothing with
 * `--quiet`; with `--json` on a terminal only.
 */
export function showProgress(
  { mode }: Output,
  { stderr }: ProcessEnvironment,
): MonoTypeOperatorFunction<DumpEvent> {
  const isTerminal = stderr.isTTY === true;
  if (mode.quiet || (mode.json && !isTerminal)) return (events) => events;
  return (events) => {
    const started = performance.now();
    // A terminal of unknown width reports 0.
    const columns = stderr.columns !== undefined && stderr.columns > 0 ? stderr.columns : 80;
    let width = 0;
    const show = (progress: DumpProgress, end: string): void => {
      const text = progressLine(progress, performance.now() - started);
      // Blanks erase the rest of a longer line. A wrapped line could not be overwritten.
      stderr.write(
        isTerminal ? `\r${text.slice(0, columns - 1).padEnd(width)}${end}` : `${text}\n`,
      );
      width = end === '' ? text.length : 0;
    };
    return events.pipe(
      tap((event) => {
        if (event.kind === 'progress') show(event.progress, '');
        if (event.kind === 'done') show(event.outcome, '\n');
      }),
      finalize(() => {
        if (isTerminal && width > 0) stderr.write('\n');
      }),
    );
  };
}

/** `12.3 MiB, 45.6 MiB/s, 789 files`. */
export function progressLine({ bytes, files }: DumpProgress, milliseconds: number): string {
  return `${formatBytes(bytes)}, ${formatRate(bytes, milliseconds)}, ${count(files, 'file')}`;
}

/** `45.6 MiB/s`. */
export function formatRate(bytes: number, milliseconds: number): string {
  return `${formatBytes(bytes / Math.max(milliseconds / 1000, 0.001))}/s`;
}
