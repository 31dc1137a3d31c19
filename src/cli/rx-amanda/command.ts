import type { Observable } from 'rxjs';
import type { Output } from './output.js';
import type { ProcessEnvironment } from './environment.js';

/** One of the things that `rx-amanda` does. */
export interface CliCommand {
  /** What it does, in half a line. */
  readonly summary: string;
  /** What `--help` prints. */
  readonly help: string;
  /**
   * Does it: cold, emits the exit code once it is done, and errors with what it failed with. Throws `UsageError` at once for words
   * that cannot be meant. Unsubscribing cancels everything.
   */
  run(
    words: readonly string[],
    output: Output,
    environment: ProcessEnvironment,
  ): Observable<number>;
}
