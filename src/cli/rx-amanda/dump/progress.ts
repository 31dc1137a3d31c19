import { finalize, tap, type MonoTypeOperatorFunction } from 'rxjs';
import type { DumpEvent, DumpProgress } from '../../../initiator/receive-dump.js';
import type { Output } from '../output.js';
import type { ProcessEnvironment } from '../environment.js';
import { formatRate, ProgressLine } from '../progress-line.js';
import { count, formatBytes } from '../../terminal/units.js';

/** Shows the progress of a dump. */
export function showProgress(
  output: Output,
  environment: ProcessEnvironment,
): MonoTypeOperatorFunction<DumpEvent> {
  return (events) => {
    const started = performance.now();
    const line = new ProgressLine(output, environment);
    const show = (progress: DumpProgress): void => {
      line.show(progressLine(progress, performance.now() - started));
    };
    return events.pipe(
      tap((event) => {
        if (event.kind === 'progress') show(event.progress);
        if (event.kind === 'done') show(event.outcome);
        if (event.kind === 'done') line.end();
      }),
      finalize(() => {
        line.end();
      }),
    );
  };
}

/** `12.3 MiB, 45.6 MiB/s, 789 files`. */
export function progressLine({ bytes, files }: DumpProgress, milliseconds: number): string {
  return `${formatBytes(bytes)}, ${formatRate(bytes, milliseconds)}, ${count(files, 'file')}`;
}
