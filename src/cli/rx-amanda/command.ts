import type { Observable } from 'rxjs';
import type { Output } from './output.js';
import type { Surroundings } from './surroundings.js';

/** One of the things that `rx-amanda` does. */
export interface Command {
  /** What it does, in half a line. */
  readonly summary: string;
  /** What `--help` prints. */
  readonly help: string;
  /**
   * Does it: cold, emits the exit code once it is done, and errors with what it failed with. Throws `UsageError` at once for words
   * that cannot be meant. Unsubscribing cancels everything.
   */
  run(words: readonly string[], output: Output, surroundings: Surroundings): Observable<number>;
}
