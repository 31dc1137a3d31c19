import type { ParseArgsConfig } from 'node:util';
import type { Observable } from 'rxjs';
import type { Output } from './output.js';
import type { ProcessEnvironment } from './environment.js';

/** A subcommand of `rx-amanda`. */
export interface CliCommand {
  /** Half a line for the list of commands. */
  readonly summary: string;
  /** The text of `--help`. */
  readonly help: string;
  /** What it takes, as `parseArguments` reads it. Each is in the help. */
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /**
   * Runs the command: cold, emits the exit code at its end, and errors as the work does. Throws
   * `UsageError` at once for wrong arguments. Unsubscribing cancels everything.
   */
  run(args: readonly string[], output: Output, environment: ProcessEnvironment): Observable<number>;
}
