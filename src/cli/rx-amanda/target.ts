import type { ConnectOptions } from '../../initiator/connect.js';
import type { RequestOptions } from '../../exchange/request.js';
import { timingWith } from '../../exchange/timing.js';
import { printable } from '../../wire/text.js';
import { UsageError, enumerate, wholeNumber } from '../terminal/arguments.js';
import type { Settings } from '../config/settings.js';

/** The options of every command that talks to a host. */
export const targetOptions = {
  auth: { type: 'string' },
  port: { type: 'string' },
  user: { type: 'string' },
  'amandad-path': { type: 'string' },
  'client-username': { type: 'string' },
  'ssh-key': { type: 'string' },
  'rsh-command': { type: 'string' },
  'ssl-dir': { type: 'string' },
  'insist-on-safe-key': { type: 'boolean' },
  'ssl-strict': { type: 'boolean' },
  timeout: { type: 'string' },
  retry: { type: 'boolean' },
  json: { type: 'boolean' },
  debug: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Their help. */
export const targetOptionsHelp = `Reaching the host:
  --auth NAME             bsdtcp (default), ssl, local, ssh, rsh; for hosts that
                          have none of these bsdudp or bsd
  --port N                number or name of a service; default 10080, 10081
                          for ssl, for ssh what it is configured for
  --user NAME             who asks; default: the user this runs as
  --amandad-path PATH     for local, ssh and rsh; default
                          /usr/lib/amanda/amandad
  --client-username NAME  for ssh and rsh: the user to log in as; default
                          backup
  --ssh-key FILE          for ssh: a private key besides those it finds itself
  --rsh-command PROGRAM   for rsh: takes rsh's arguments; default rsh
  --ssl-dir DIR           for ssl: holds CA/crt.pem, me/crt.pem and
                          me/private/key.pem; default /etc/amanda/ssl
  --insist-on-safe-key    for ssl: refuse a key of our own that others can read,
                          instead of a warning
  --ssl-strict            for ssl: the target's certificate must have HOST as
                          its name, and a fingerprint must be on file
  --timeout SECONDS       how long connecting, and then the answer, may take;
                          default as in Amanda: 3 times 20, 3 times 30
  --retry                 try again, too, when the host is not known or nothing
                          listens on the port

Output:
  --json                  one JSON document on standard output, errors too
  --quiet, -q             no progress, no notes
  --debug                 show every frame, and where an error came from
  --help, -h              this text`;

/** The values of {@link targetOptions} as they were typed. */
export type TargetValues = Readonly<{
  [Name in keyof typeof targetOptions]?:
    ((typeof targetOptions)[Name]['type'] extends 'boolean' ? boolean : string) | undefined;
}>;

/** A target, and how to connect to it. */
export interface TargetChoice {
  readonly host: string;
  readonly auth: AuthName;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly amandadPath?: string | undefined;
  /** The user to log in as. */
  readonly clientUsername?: string | undefined;
  /** The file of a private key. */
  readonly sshKey?: string | undefined;
  /** A program with rsh's arguments. */
  readonly rshCommand?: string | undefined;
  /** The folder of the certificates. */
  readonly sslDir?: string | undefined;
  /** Refuse a private key that others can read. */
  readonly insistOnSafeKey?: boolean | undefined;
  /** Demand HOST as the certificate's name, and a fingerprint on file. */
  readonly sslStrict?: boolean | undefined;
  /** Takes a warning about something that works but should be changed. */
  readonly onWarning?: ((warning: Error) => void) | undefined;
  /** Milliseconds; undefined for Amanda's own times. */
  readonly timeout?: number | undefined;
  /** The installation's settings. Where an option says the same, its value is above. */
  readonly settings?: Settings | undefined;
}

const auths = ['bsdtcp', 'ssl', 'local', 'ssh', 'rsh', 'bsdudp', 'bsd'] as const;
type AuthName = (typeof auths)[number];

/** The options that each auth uses, besides `--timeout`. */
const usedOptions: Readonly<Record<AuthName, readonly (keyof TargetValues)[]>> = {
  bsdtcp: ['port', 'user'],
  ssl: ['port', 'user', 'ssl-dir', 'insist-on-safe-key', 'ssl-strict'],
  local: ['amandad-path'],
  ssh: ['port', 'amandad-path', 'client-username', 'ssh-key'],
  rsh: ['amandad-path', 'client-username', 'rsh-command'],
  bsdudp: ['port', 'user'],
  bsd: ['port', 'user'],
};

/** Chooses a target by its options. Throws {@link UsageError}. */
export function chooseTarget(host: string, values: TargetValues): TargetChoice {
  const seconds = wholeNumber('--timeout', values.timeout, 1, 86_400);
  return {
    host,
    auth: chooseAuth(values.auth ?? 'bsdtcp'),
    port: wholeNumber('--port', values.port, 1, 65_535),
    user: values.user,
    amandadPath: values['amandad-path'],
    clientUsername: values['client-username'],
    sshKey: values['ssh-key'],
    rshCommand: values['rsh-command'],
    sslDir: values['ssl-dir'],
    insistOnSafeKey: values['insist-on-safe-key'],
    sslStrict: values['ssl-strict'],
    timeout: seconds === undefined ? undefined : seconds * 1000,
  };
}

function chooseAuth(name: string): AuthName {
  const auth = auths.find((known) => known === name.toLowerCase());
  if (auth !== undefined) return auth;
  if (name.toLowerCase() === 'krb5')
    throw new UsageError(`The auth krb5 is not built; this version has ${enumerate(auths)}.`);
  throw new UsageError(
    `There is no auth "${printable(name)}"; this version has ${enumerate(auths)}.`,
  );
}

/** What was given that the auth ignores. */
export function uselessOptions(
  { auth, port }: TargetChoice,
  values: TargetValues,
): readonly string[] {
  const special = [
    'port',
    'user',
    'amandad-path',
    'client-username',
    'ssh-key',
    'rsh-command',
    'ssl-dir',
    'insist-on-safe-key',
    'ssl-strict',
  ] as const;
  const isPortUseless = port !== undefined && !usedOptions[auth].includes('port');
  return [
    ...(isPortUseless && values.port === undefined ? ['the port after HOST'] : []),
    ...special
      .filter((name) => values[name] !== undefined && !usedOptions[auth].includes(name))
      .map((name) => `--${name}`),
  ];
}

/**
 * The times of an exchange with one limit for connecting, for the acknowledgement and for the
 * reply. Keeps as many of the configured tries as fit.
 */
export function timingFor(
  timeout: number | undefined,
  settings: Settings = {},
): ConnectOptions & RequestOptions {
  const { 'connect-tries': connecting, 'req-tries': requesting } = settings;
  const tries = {
    ...(connecting && { connectTries: connecting.value }),
    ...(requesting && { requestTries: requesting.value }),
  };
  if (timeout === undefined) return tries;
  const { connectTimeout, connectTries, connectWait, ackTimeout, requestTries } = timingWith(tries);
  return {
    ...tries,
    connectTimeout: Math.min(connectTimeout, timeout),
    connectTries: Math.max(
      1,
      Math.min(connectTries, Math.floor(timeout / (connectTimeout + connectWait))),
    ),
    ackTimeout: Math.min(ackTimeout, Math.ceil(timeout / requestTries)),
    replyTimeout: timeout,
    replyRestarts: 0,
  };
}

/** The same for a short service, whose reply Amanda awaits for `ctimeout`. */
export function callTimingFor({
  timeout,
  settings = {},
}: TargetChoice): ConnectOptions & RequestOptions {
  const { ctimeout } = settings;
  return {
    ...(ctimeout && { replyTimeout: ctimeout.value * 1000 }),
    ...timingFor(timeout, settings),
  };
}

/**
 * The same for sendsize. Amanda's planner waits `etimeout` for each level of each DLE, or for all
 * of them when it is negative.
 */
export function estimateTimingFor(
  target: TargetChoice,
  estimates: number,
): ConnectOptions & RequestOptions {
  const { timeout, settings: { etimeout } = {} } = target;
  if (timeout !== undefined || etimeout === undefined) return callTimingFor(target);
  return {
    ...callTimingFor(target),
    replyTimeout: secondsForEstimates(etimeout.value, estimates) * 1_000,
  };
}

/** How many estimates a request asks for. */
export function estimatesIn(body: Uint8Array): number {
  return Buffer.from(body).toString('latin1').split('<level>').length - 1;
}

/** The seconds that `etimeout` gives to so many estimates. */
export function secondsForEstimates(etimeout: number, estimates: number): number {
  return etimeout < 0 ? -etimeout : etimeout * Math.max(1, estimates);
}
