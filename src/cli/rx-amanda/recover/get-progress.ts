import { finalize, tap, type MonoTypeOperatorFunction } from 'rxjs';
import type { RestoreImageEvent } from '../../../initiator/recover/image-restore.js';
import { count, formatBytes, formatTime } from '../../terminal/units.js';
import type { ProcessEnvironment } from '../environment.js';
import type { Output } from '../output.js';
import { formatRate, ProgressLine } from '../progress-line.js';

/** Bytes, entries and time of a restore. */
export interface GetCounts {
  /** As they were sent. */
  bytes: number;
  /** Entries of archives that were recovered. */
  entries: number;
}

/** Shows progress, the server's messages, and how far each image is. */
export function showGetProgress(
  counts: GetCounts,
  images: number,
  output: Output,
  environment: ProcessEnvironment,
): MonoTypeOperatorFunction<RestoreImageEvent> {
  return (events) => {
    const line = new ProgressLine(output, environment);
    let [started, image, before] = [performance.now(), 0, 0];
    let expected: number | undefined;
    return events.pipe(
      tap((event) => {
        switch (event.kind) {
          case 'started':
            started = performance.now();
            image++;
            expected = (event.header.clientChecksum ?? event.header.serverChecksum)?.bytes;
            return;
          case 'progress': {
            const ms = performance.now() - started;
            const words = [
              ...(images > 1 ? [`dump ${image} of ${images}`] : []),
              formatBytes(event.bytes),
              formatRate(event.bytes, ms),
              count(counts.entries, 'entry').replace('entrys', 'entries'),
              ...timeLeft(event.bytes, expected, ms),
            ];
            counts.bytes = before + event.bytes;
            if (image > 0) line.show(words.join(', '));
            return;
          }
          case 'done':
            before += event.outcome.received.bytes;
            counts.bytes = before;
            return;
          case 'message':
            line.end();
            output.note(`the server says: ${event.text}`);
            return;
          case 'volume':
            line.end();
        }
      }),
      finalize(() => {
        line.end();
      }),
    );
  };
}

function timeLeft(bytes: number, expected: number | undefined, ms: number): string[] {
  if (expected === undefined || bytes === 0 || bytes > expected) return [];
  return [`${formatTime((ms * (expected - bytes)) / bytes)} left`];
}
