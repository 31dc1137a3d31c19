import { checkOptions } from '../wire/arguments.js';
import type { Driver } from './driver.js';
import { DEFAULT_AMANDAD } from './local.js';
import {
  DEFAULT_CLIENT_USERNAME,
  checkAmandadPath,
  checkName,
  remoteDriver,
} from './remote-command.js';

/** Options of {@link rsh}. */
export interface RshOptions {
  /** Name or address of the target. */
  readonly host: string;
  /** The user to log in as (Amanda's client-username), default `backup`. */
  readonly clientUsername?: string;
  /**
   * Path of amandad on the target, default {@link DEFAULT_AMANDAD}. The login shell there reads it.
   */
  readonly amandadPath?: string;
  /** A program that takes rsh's arguments, default `rsh`. */
  readonly command?: string;
}

/**
 * An amandad that `rsh`, or a command with its arguments, starts on the target. A user that may log
 * in is trusted.
 *
 *     rsh -l USER HOST AMANDAD -auth=rsh
 *
 * rsh encrypts nothing and trusts the network: ssh is the better choice. Throws `BAD_ARGUMENT` for
 * a host or user that looks like an option. Errors with `COMMAND_FAILED` and `TEXT_IN_CHANNEL` as
 * ssh does. Source: PROTOCOL.md, "Drivers".
 */
export function rsh(options: RshOptions): Driver {
  checkOptions('rsh', options, {
    host: 'name',
    clientUsername: 'name?',
    amandadPath: 'name?',
    command: 'name?',
  });
  const {
    host,
    clientUsername = DEFAULT_CLIENT_USERNAME,
    amandadPath = DEFAULT_AMANDAD,
    command = 'rsh',
  } = options;
  checkName('The host', host);
  checkName('The client-username', clientUsername);
  checkAmandadPath(amandadPath);
  const args = ['-l', clientUsername, host, amandadPath, '-auth=rsh'];
  const advise = (said: string): string | undefined =>
    /Permission denied/i.test(said)
      ? `${clientUsername} on ${host} needs a line for this host and user in .rhosts.`
      : undefined;
  return remoteDriver({ auth: 'rsh', program: command, args, host, amandadPath, advise });
}
