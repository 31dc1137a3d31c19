import type { Peer } from '../transport/channel.js';
import { AmandaError } from '../wire/errors.js';
import { printable } from '../wire/text.js';
import { throughCommand, describeEnd, type CommandEnd } from './command.js';
import type { Driver } from './driver.js';

/** The user that amandad runs as on Debian. */
export const DEFAULT_CLIENT_USERNAME = 'backup';

/** A command that starts amandad on another host. */
export interface RemoteCommand {
  readonly auth: 'ssh' | 'rsh';
  readonly program: string;
  readonly args: readonly string[];
  readonly host: string;
  /** Advice for a failure that this command reports; undefined for an unknown one. */
  readonly advise: (said: string) => string | undefined;
  readonly amandadPath: string;
}

/**
 * A driver whose channel is the standard input and output of a command that starts amandad on
 * another host. The command's standard error is part of the error.
 */
export function remoteDriver(remote: RemoteCommand): Driver {
  const { auth, program, args, host } = remote;
  const peer: Peer = { driver: auth, host };
  const command = {
    program,
    args,
    leadsGroup: true,
    explain: (end: CommandEnd) => explainRemote(remote, end),
  };
  return {
    name: auth,
    user: undefined,
    host,
    open: (options) => throughCommand(command, peer, options),
  };
}

/**
 * A shell's exit codes for a command that it does not find, and for one that it may not execute.
 */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** Exit code 0 is amandad's own: it ended the connection, and standard error has a banner. */
function explainRemote(
  { program, host, advise, amandadPath }: RemoteCommand,
  end: CommandEnd,
): AmandaError | undefined {
  if (end.code === 0) return undefined;
  const shell: Readonly<Record<number, string>> = {
    [NOT_FOUND]: `There is no ${printable(amandadPath)} on ${host}: is Amanda's client installed there, and is this the path of its amandad (amandad-path)?`,
    [NOT_EXECUTABLE]: `${printable(amandadPath)} on ${host} is there, but that user may not execute it.`,
  };
  const advice = (end.code === null ? undefined : shell[end.code]) ?? advise(end.said);
  return new AmandaError(
    'COMMAND_FAILED',
    `${describeEnd(`${program} to ${host}`, end)}${advice === undefined ? '' : ` ${advice}`}`,
    { peer: host },
  );
}

/**
 * Throws `BAD_ARGUMENT` for a host or user name that looks like an option or is not safe in a
 * shell's command line. The configuration of ssh may put the name there.
 */
export function checkName(what: string, name: string): void {
  if (
    name !== '' &&
    !name.startsWith('-') &&
    !name.endsWith('\\') &&
    !/[\s\u0000-\u001f\u007f'"`$;&<>|(){}]/.test(name)
  )
    return;
  throw new AmandaError(
    'BAD_ARGUMENT',
    `${what} cannot be "${printable(name)}": it must not be empty, begin with "-", or hold blanks and characters of the shell.`,
  );
}

/**
 * Throws `BAD_ARGUMENT` for an amandad-path that looks like an option. It may be several words for
 * the remote shell.
 */
export function checkAmandadPath(path: string): void {
  if (path.trim() !== '' && !/^\s*-|[\u0000-\u001f]/.test(path)) return;
  throw new AmandaError(
    'BAD_ARGUMENT',
    `The amandad-path cannot be "${printable(path)}": it must not be empty, begin with "-" or hold control characters.`,
  );
}
