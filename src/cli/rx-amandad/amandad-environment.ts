import type { Observable } from 'rxjs';
import type { Activation } from '../../transport/activation.js';

/** What an amandad has around it besides its channel. Tests bring their own. */
export interface AmandadEnvironment {
  readonly print: (text: string) => void;
  /** Writes a line to standard error. */
  readonly printError: (line: string) => void;
  readonly isStderrFree: () => boolean;
  /** Emits the exit code of each signal that asks the program to end. */
  readonly interrupted: Observable<number>;
  /** Emits when the log has to be opened again. */
  readonly hangup: Observable<unknown>;
  /** The socket that systemd passed. */
  readonly activation: Activation;
  /** Finds a socket on which inetd lets the program wait. */
  readonly waiting: () => Activation | undefined;
  /** The folder of Amanda's configuration. Optional; none is read when it is absent. */
  readonly installation?: string;
  /**
   * Gives up root's rights for those of a user; undefined stands for Amanda's user. Returns what
   * could not be verified.
   */
  readonly becomeUser: (
    name: string | undefined,
    options: { readonly keepCapabilities: boolean },
  ) => string | undefined;
}
