import { amandaServiceNames } from '../../target/process/amanda-service-names.js';
import { printable } from '../../wire/text.js';
import { UsageError, enumerate, wholeNumber } from '../terminal/arguments.js';

/** The drivers that a target can serve. */
export const amandadAuths = ['bsdtcp', 'ssl', 'local', 'ssh', 'rsh', 'bsdudp', 'bsd'] as const;

/** The command line of `rx-amandad`. */
export interface AmandadArguments {
  readonly auth: (typeof amandadAuths)[number];
  /** The port to listen on; undefined when standard input and output are the connection. */
  readonly tcpPort: number | undefined;
  /** The same for bsdudp and bsd. */
  readonly udpPort: number | undefined;
  /** The address to listen on; undefined for all. */
  readonly listen: string | undefined;
  /** Serve any number of connections for any time, and keep an idle one. */
  readonly noExit: boolean;
  /** Keys of amandad's configuration, as `KEY=VALUE`. */
  readonly settings: readonly string[];
  /** Do not read the installation's configuration. */
  readonly noConfig: boolean;
  /** Refuse a private key that others can read. */
  readonly insistOnSafeKey: boolean;
  /** Make every check of certificates, and demand a fingerprint on file. */
  readonly sslStrict: boolean;
  /** The access file; undefined for the .amandahosts in the user's home directory. */
  readonly amandahosts: string | undefined;
  /** The folder with the executables of the services. */
  readonly libexec: string;
  /** Whether noop and sendbackup are our own instead of executables. */
  readonly own: boolean;
  /**
   * Where our sendbackup keeps the state of incremental dumps. Without it, only full dumps work.
   */
  readonly lists: string | undefined;
  /** Whether a requester on this host may get dumps in shared memory. */
  readonly shm: boolean;
  /** The user to become when started as root; undefined for Amanda's. */
  readonly user: string | undefined;
  /** Whether the process may have capabilities once it is that user. */
  readonly keepCapabilities: boolean;
  /** Milliseconds that running services may take after a request to end. */
  readonly grace: number;
  /**
   * Milliseconds without a connection after which the listening socket goes back to inetd.
   * Undefined for the default.
   */
  readonly linger: number | undefined;
  readonly limits: AmandadLimits;
  readonly log: string | undefined;
  readonly debug: boolean;
  /** The service names; empty for the default ones. */
  readonly services: readonly string[];
  /** The first unknown argument. Like amandad, we then refuse every request and say why. */
  readonly unknown: string | undefined;
}

/** Limits for peers. Undefined stands for the library's own default. */
export interface AmandadLimits {
  readonly maxConnections: number | undefined;
  /** Open handles on a connection. */
  readonly maxHandles: number | undefined;
  /** Concurrent requests on a connection. */
  readonly maxRequests: number | undefined;
  /** Unread bytes that are kept of a connection. */
  readonly receiveBudget: number | undefined;
  /** How often an unacknowledged reply is sent. */
  readonly replyTries: number | undefined;
  /** Milliseconds that a connection without a running request is kept. */
  readonly idleTimeout: number | undefined;
}

/** Debian's folder for the executables of services. */
const DEFAULT_LIBEXEC = '/usr/lib/amanda';

/**
 * Reads amandad's arguments and our own. Throws {@link UsageError} for an invalid value. Source:
 * PROTOCOL.md, "Starting a service".
 */
export function parseAmandad(argv: readonly string[]): AmandadArguments {
  const given = new Map<string, string>();
  const services: string[] = [];
  let unknown: string | undefined;
  for (const word of argv) {
    const [option, ...values] = word.split('=');
    const name = option?.startsWith('-') ? option.slice(1) : '';
    if (takesValue.has(name) === word.includes('=') && (takesValue.has(name) || flags.has(name)))
      given.set(name, values.join('='));
    else if (serviceWords.has(word)) services.push(word);
    else unknown ??= word;
  }
  const auth = chooseAuth(given.get('auth') ?? 'bsdtcp');
  const tcpPort = wholeNumber('-tcp', given.get('tcp'), 0, 65_535);
  if (tcpPort !== undefined && auth !== 'bsdtcp' && auth !== 'ssl')
    throw new UsageError(`-tcp goes with -auth=bsdtcp or ssl, not with -auth=${auth}.`);
  const udpPort = wholeNumber('-udp', given.get('udp'), 0, 65_535);
  if (udpPort !== undefined && auth !== 'bsdudp' && auth !== 'bsd')
    throw new UsageError(`-udp goes with -auth=bsdudp or bsd, not with -auth=${auth}.`);
  checkSettings(given, auth);
  if (given.has('amandahosts') && letsEverybodyIn.has(auth))
    throw new UsageError(
      `-amandahosts does not go with -auth=${auth}, which admits every initiator.`,
    );
  if (tcpPort === undefined && udpPort === undefined && given.has('listen'))
    throw new UsageError('-listen needs -tcp=PORT or -udp=PORT.');
  const linger = wholeNumber('-linger', given.get('linger'), 1, 2_000_000);
  if (linger !== undefined && (tcpPort !== undefined || (auth !== 'bsdtcp' && auth !== 'ssl'))) {
    throw new UsageError(
      '-linger goes with -auth=bsdtcp or ssl from inetd with "wait", ' +
        'not with -tcp or another -auth.',
    );
  }
  const own = given.has('own') || chooseServices(given.get('services') ?? 'amanda') === 'own';
  if (given.has('lists') && !own) throw new UsageError('-lists needs -own.');
  return {
    auth,
    tcpPort,
    udpPort,
    listen: given.get('listen'),
    noExit: given.has('no-exit'),
    settings: [...given]
      .filter(([name]) => settingAuths.has(name))
      .map(([name, value]) => `${name}=${value}`),
    noConfig: given.has('no-config'),
    insistOnSafeKey: given.has('insist-on-safe-key'),
    sslStrict: given.has('ssl-strict'),
    amandahosts: given.get('amandahosts'),
    libexec: given.get('libexec') ?? DEFAULT_LIBEXEC,
    own,
    lists: given.get('lists'),
    shm: !given.has('no-shm'),
    user: given.get('user'),
    keepCapabilities: given.has('keep-capabilities'),
    grace: (wholeNumber('-grace', given.get('grace'), 0, 86_400) ?? 30) * 1_000,
    linger: linger === undefined ? undefined : linger * 1_000,
    limits: limitsOf(given),
    log: given.get('log'),
    debug: given.has('debug'),
    services,
    unknown,
  };
}

const serviceWords: ReadonlySet<string> = new Set(['amdump', ...amandaServiceNames]);
/** The configuration keys that are arguments here, and the drivers that use them. */
const settingAuths: ReadonlyMap<string, readonly AmandadArguments['auth'][]> = new Map<
  string,
  readonly AmandadArguments['auth'][]
>([
  ...[
    'dir',
    'cert-file',
    'key-file',
    'ca-cert-file',
    'fingerprint-file',
    'cipher-list',
    'check-host',
    'check-certificate-host',
    'check-fingerprint',
  ].map((name) => [`ssl-${name}`, ['ssl']] as const),
  ['unreserved-tcp-port', ['bsdudp', 'bsd']] as const,
]);
/** The program that starts these drivers has already checked who may connect. */
const letsEverybodyIn: ReadonlySet<AmandadArguments['auth']> = new Set<AmandadArguments['auth']>([
  'local',
  'ssh',
  'rsh',
]);
const takesValue: ReadonlySet<string> = new Set([
  ...settingAuths.keys(),
  ...[
    'auth',
    'tcp',
    'udp',
    'listen',
    'amandahosts',
    'libexec',
    'services',
    'lists',
    'log',
    'user',
    'grace',
    'idle',
    'linger',
  ],
  ...['max-connections', 'max-handles', 'max-requests', 'receive-budget', 'rep-tries'],
]);
const flags: ReadonlySet<string> = new Set([
  'no-exit',
  'own',
  'no-shm',
  'debug',
  'no-config',
  'insist-on-safe-key',
  'ssl-strict',
  'keep-capabilities',
]);

/** Every word that may be an argument. */
export function amandadWords(): readonly string[] {
  return [...[...takesValue, ...flags].map((name) => `-${name}`), ...serviceWords];
}

function chooseAuth(name: string): AmandadArguments['auth'] {
  const auth = amandadAuths.find((known) => known === name.toLowerCase());
  if (auth === undefined)
    throw new UsageError(
      `There is no auth "${printable(name)}"; this version has ${enumerate(amandadAuths)}.`,
    );
  return auth;
}

function checkSettings(given: ReadonlyMap<string, string>, auth: AmandadArguments['auth']): void {
  const sslFlags = ['insist-on-safe-key', 'ssl-strict'].map((name) => [name, ['ssl']] as const);
  for (const [name, auths] of [...settingAuths, ...sslFlags]) {
    if (given.has(name) && !auths.some((one) => one === auth))
      throw new UsageError(
        `-${name} goes with -auth=${auths.join(' or ')}, not with -auth=${auth}.`,
      );
  }
}

function limitsOf(given: ReadonlyMap<string, string>): AmandadLimits {
  const limit = (name: string, least: number, most: number): number | undefined =>
    wholeNumber(`-${name}`, given.get(name), least, most);
  const idle = limit('idle', 1, 2_000_000);
  return {
    maxConnections: limit('max-connections', 1, 1_000_000),
    maxHandles: limit('max-handles', 1, 1_000_000),
    maxRequests: limit('max-requests', 1, 1_000_000),
    receiveBudget: limit('receive-budget', 1, Number.MAX_SAFE_INTEGER),
    replyTries: limit('rep-tries', 1, 1_000),
    idleTimeout: idle === undefined ? undefined : idle * 1_000,
  };
}

function chooseServices(text: string): 'own' | 'amanda' {
  if (text === 'own' || text === 'amanda') return text;
  throw new UsageError(`-services takes own or amanda, not "${printable(text)}".`);
}
