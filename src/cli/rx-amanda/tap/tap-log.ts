import { closeSync, openSync, writeSync } from 'node:fs';
import { Observable, finalize, interval, tap, type MonoTypeOperatorFunction } from 'rxjs';
import type { TapChange } from '../../../tap/tap-change.js';
import { fileFailed } from '../../terminal/file-errors.js';
import { JOINED_FOR, TapView, type TapViewOptions } from './tap-view.js';

/** Reports the lines of the live view. */
export function showTap(
  report: (line: string) => void,
  options: TapViewOptions,
): MonoTypeOperatorFunction<TapChange> {
  return (changes) =>
    new Observable((out) => {
      const view = new TapView(options);
      const say = (lines: readonly string[]): void => {
        for (const line of lines) report(line);
      };
      out.add(
        interval(JOINED_FOR).subscribe(() => {
          say(view.pending(performance.timeOrigin + performance.now()));
        }),
      );
      return changes
        .pipe(
          tap((change) => {
            say(view.lines(change));
          }),
        )
        .subscribe(out);
    });
}

/**
 * Opens a file for appending while `use` runs, with mode 0600. Errors with `FILE_FAILED` when it
 * cannot be opened.
 *
 * The first failed write calls `onProblem`; later lines are still tried.
 */
export function withLogFile<T>(
  path: string,
  onProblem: (message: string) => void,
  use: (report: (line: string) => void) => Observable<T>,
): Observable<T> {
  return new Observable((out) => {
    let descriptor: number;
    try {
      descriptor = openSync(path, 'a', 0o600);
    } catch (cause) {
      out.error(fileFailed('write to', path, cause));
      return;
    }
    let hasFailed = false;
    const report = (line: string): void => {
      try {
        writeSync(descriptor, `${line}\n`);
      } catch (cause) {
        // A full disk must not disturb the tapped programs.
        if (!hasFailed) onProblem(fileFailed('write to', path, cause).message);
        hasFailed = true;
      }
    };
    out.add(
      use(report)
        .pipe(
          finalize(() => {
            closeSync(descriptor);
          }),
        )
        .subscribe(out),
    );
  });
}
