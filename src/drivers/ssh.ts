import { checkOptions } from '../wire/arguments.js';
import { MOST_MILLISECONDS, inRange } from '../wire/ranges.js';
import { defaultTiming } from '../exchange/timing.js';
import type { Driver } from './driver.js';
import { DEFAULT_AMANDAD } from './local.js';
import { checkPort } from '../transport/address.js';
import {
  DEFAULT_CLIENT_USERNAME,
  checkAmandadPath,
  checkName,
  remoteDriver,
} from './remote-command.js';

/** Options of {@link ssh}. */
export interface SshOptions {
  /** Name or address of the target, or a `Host` of the ssh configuration. */
  readonly host: string;
  /** The user to log in as (Amanda's client-username), default `backup`. */
  readonly clientUsername?: string;
  /** 1 … 65535, default what ssh is configured for, which is 22. */
  readonly port?: number;
  /** A private key (Amanda's ssh-keys), tried besides those of the agent and the configuration. */
  readonly keyFile?: string;
  /**
   * Path of amandad on the target, default {@link DEFAULT_AMANDAD}. The login shell there reads it.
   */
  readonly amandadPath?: string;
  /** Further words for ssh's command line, before the host: `['-o', 'ProxyJump=gate']`. */
  readonly sshOptions?: readonly string[];
  /**
   * Milliseconds that ssh may take to reach an SSH server, default 20,000; rounded up to seconds.
   * Keep it below the wait for the acknowledgement, after which ssh's message is lost. `['-o',
   * 'ConnectTimeout=…']` in `sshOptions` takes precedence.
   */
  readonly connectTimeout?: number;
  /** The ssh to run, default `ssh`. */
  readonly command?: string;
}

/**
 * An amandad that the system's `ssh` starts on the target, with the user's agent, configuration,
 * known hosts and ProxyJump. A user that may log in is trusted.
 *
 *     ssh -x -o BatchMode=yes -o ControlMaster=no -l USER [-p PORT] [-i KEY]
 *         -o ConnectTimeout=20 -- HOST AMANDAD -auth=ssh
 *
 * Throws `BAD_ARGUMENT` for a host or user that looks like an option. Errors with `COMMAND_FAILED`
 * if ssh cannot be started or fails, with its words and advice, and with `TEXT_IN_CHANNEL` if a
 * login profile prints something. Source: PROTOCOL.md, "Drivers".
 */
export function ssh(options: SshOptions): Driver {
  checkOptions('ssh', options, {
    host: 'name',
    clientUsername: 'name?',
    keyFile: 'name?',
    amandadPath: 'name?',
    sshOptions: 'strings?',
    command: 'name?',
  });
  const {
    host,
    clientUsername = DEFAULT_CLIENT_USERNAME,
    port,
    keyFile,
    amandadPath = DEFAULT_AMANDAD,
    sshOptions = [],
    command = 'ssh',
  } = options;
  const { connectTimeout = defaultTiming.connectTimeout } = options;
  inRange('The option connectTimeout of ssh', connectTimeout, 0, MOST_MILLISECONDS);
  checkName('The host', host);
  checkName('The client-username', clientUsername);
  checkAmandadPath(amandadPath);
  if (port !== undefined) checkPort(port);
  const args = [
    '-x',
    ...['-o', 'BatchMode=yes'],
    // A master process would outlive the connection and keep our standard error open.
    ...['-o', 'ControlMaster=no'],
    ...['-l', clientUsername],
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(keyFile === undefined ? [] : ['-i', keyFile]),
    ...sshOptions,
    // The system's limit is two minutes, and there is none for a server that does not greet.
    ...['-o', `ConnectTimeout=${Math.max(1, Math.ceil(connectTimeout / 1_000))}`],
    ...['--', host, amandadPath, '-auth=ssh'],
  ];
  return remoteDriver({
    auth: 'ssh',
    program: command,
    args,
    host,
    amandadPath,
    advise: (said) => advise(said, host, clientUsername),
  });
}

/** Advice for what ssh says; the first match counts. */
function advise(said: string, host: string, user: string): string | undefined {
  const known: readonly (readonly [RegExp, string])[] = [
    [
      /IDENTIFICATION HAS CHANGED/,
      `Another host answers than before; if its key was really renewed, forget the old one with ssh-keygen -R.`,
    ],
    [
      /Host key verification failed|host key is known/,
      `Its host key is not known here: log in to ${host} once by hand, as the user that runs this, and accept it.`,
    ],
    [
      /UNPROTECTED PRIVATE KEY|bad permissions/,
      'ssh does not use a key file that others can read: chmod 600 it.',
    ],
    [
      /Identity file .* not accessible/,
      'The key file (ssh-keys) is not there, or this user may not read it.',
    ],
    [
      /Permission denied/,
      `No key was accepted. Put the public key into the .ssh/authorized_keys of ${user} on ${host}, and the private key into this user's agent or the file that ssh-keys names.`,
    ],
    [/Connection refused/, 'Nothing listens there: does sshd run, and is this its port?'],
    [/Could not resolve hostname/, 'The name of the host is not known.'],
    [
      /during banner exchange/,
      'Something answers there, but says nothing as an SSH server does: check the port.',
    ],
    [
      /timed out|No route to host|unreachable/,
      'The host cannot be reached: is it up, and does a firewall let ssh through?',
    ],
    [
      /kex_exchange_identification|Connection (closed|reset) by \S+ port|banner/,
      'Something else than an SSH server answers there, or it turns this host away: check the port.',
    ],
  ];
  return known.find(([pattern]) => pattern.test(said))?.[1];
}
