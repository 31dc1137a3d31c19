import { closeSync, openSync, writeSync } from 'node:fs';
import { Observable, finalize, interval, tap, type MonoTypeOperatorFunction } from 'rxjs';
import type { TapChange } from '../../../tap/tap-change.js';
import { fileFailed } from '../../terminal/file-errors.js';
import { JOINED_FOR, TapView, type TapViewOptions } from './tap-view.js';

/** Tells what passes, line by line, while it passes. */
export function showTap(
  tell: (line: string) => void,
  options: TapViewOptions,
): MonoTypeOperatorFunction<TapChange> {
  return (changes) =>
    new Observable((out) => {
      const view = new TapView(options);
      const say = (lines: readonly string[]): void => {
        for (const line of lines) tell(line);
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
 * Opens a file for lines at its end, for as long as `use` takes; for this user alone. Errors with `FILE_FAILED` when it cannot be opened; when it
 * cannot be written to any more, `onTrouble` is told once, and lines that find room later are written again.
 */
export function withLogFile<T>(
  path: string,
  onTrouble: (message: string) => void,
  use: (tell: (line: string) => void) => Observable<T>,
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
    const tell = (line: string): void => {
      try {
        writeSync(descriptor, `${line}\n`);
      } catch (cause) {
        // Who is tapped shall not notice that the disk is full.
        if (!hasFailed) onTrouble(fileFailed('write to', path, cause).message);
        hasFailed = true;
      }
    };
    out.add(
      use(tell)
        .pipe(
          finalize(() => {
            closeSync(descriptor);
          }),
        )
        .subscribe(out),
    );
  });
}
