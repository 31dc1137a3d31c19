import type { Observable } from 'rxjs';
import type { Activation } from '../../transport/activation.js';

/** What an amandad has around it besides its channel. Tests bring their own. */
export interface AmandadEnvironment {
  readonly print: (text: string) => void;
  /** Writes a line to standard error. */
  readonly complain: (line: string) => void;
  readonly isStderrFree: () => boolean;
  /** Emits the exit code of each signal that asks it to end. */
  readonly interrupted: Observable<number>;
  /** Emits when the log is to be opened anew. */
  readonly hangup: Observable<unknown>;
  /** The socket that systemd has handed over. */
  readonly activation: Activation;
  /** Looks for a socket on which inetd has this wait. */
  readonly waiting: () => Activation | undefined;
  /** The folder of Amanda's configuration; without it none is read. */
  readonly installation?: string;
  /** Gives up the rights of root for those of a user; undefined stands for Amanda's. */
  readonly becomeUser: (name: string | undefined) => void;
}
