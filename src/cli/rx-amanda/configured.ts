import { readRegularFile } from '../../access/regular-file.js';
import {
  openInstallation,
  type Installation,
  type OpenInstallation,
} from '../config/installation.js';
import { configInvalid } from '../config/lexer.js';
import { portOfService, resolvePort } from '../config/port-name.js';
import type { Setting, Settings } from '../config/settings.js';
import { UsageError } from '../terminal/arguments.js';
import { parseHost } from '../terminal/host-port.js';
import type { Output } from './output.js';
import type { ProcessEnvironment } from './environment.js';
import { chooseTarget, type TargetChoice, type TargetValues } from './target.js';
import { printable } from '../../wire/text.js';

/** The options of every command that uses the installation's configuration. */
export const configOptions = {
  config: { type: 'string' },
  dumptype: { type: 'string' },
  option: { type: 'string', multiple: true, short: 'o' },
  'no-config': { type: 'boolean' },
} as const;

/** Their help. In dump, -o is the file. */
export const configOptionsHelp = helpOf('--option, -o KEY=VALUE  ');
export const dumpConfigHelp = helpOf('--option KEY=VALUE      ');

function helpOf(option: string): string {
  return `\
The installation's configuration, where the options above say nothing:
  --config NAME           go by what NAME's disklist and dumptypes say of HOST;
                          if nothing, by its amanda-client.conf
  --dumptype NAME         go by this dumptype of it instead
  ${option}set a key of it, as -o of Amanda's programs does;
                          repeatable
  --no-config             do not read /etc/amanda; by default its
                          amanda-client.conf is read`;
}

/** The values of {@link configOptions} as they were typed. */
export interface ConfigValues {
  readonly config?: string | undefined;
  readonly dumptype?: string | undefined;
  readonly option?: readonly string[] | undefined;
  readonly 'no-config'?: boolean | undefined;
}

/** A target, and what the installation says about it. */
export interface ConfiguredTarget extends Installation {
  readonly target: TargetChoice;
}

/** The targets of a command, and what the installation says about them. */
export interface ConfiguredTargets {
  /** The entries of the disklist; empty without a configuration that has one. */
  readonly entries: OpenInstallation['entries'];
  /**
   * Chooses the target: by the options first, then by the installation's configuration. `place` is
   * `HOST` or `HOST:PORT`. Throws `UsageError`, `CONFIG_INVALID` and `FILE_FAILED`.
   */
  choose(place: string, disk?: string): ConfiguredTarget;
}

/** Reads the installation's configuration once, and chooses targets by it. Throws as `choose`. */
export function openConfigured(
  given: TargetValues & ConfigValues,
  output: Output,
  environment: ProcessEnvironment,
): ConfiguredTargets {
  const opened = openFiles(given, output, environment);
  return {
    entries: opened.entries,
    choose: (place, disk) => {
      const { host, port } = parseHost(place);
      if (port !== undefined && given.port !== undefined)
        throw new UsageError(`"${printable(place)}" and --port both name a port; leave one out.`);
      const values = port === undefined ? given : { ...given, port: String(port) };
      const found = opened.find(host, disk);
      const merged = {
        ...configuredValues(found.settings, values, output, environment),
        ...withoutUndefined(values),
      };
      const target = chooseTarget(host, { ...merged, port: portInDigits(merged, environment) });
      const isSet = Object.keys(found.settings).length > 0;
      return { ...found, target: isSet ? { ...target, settings: found.settings } : target };
    },
  };
}

/** Reads the configuration for one target, as `choose` of {@link openConfigured} does. */
export function chooseConfigured(
  place: string,
  disk: string | undefined,
  given: TargetValues & ConfigValues,
  output: Output,
  environment: ProcessEnvironment,
): ConfiguredTarget {
  return openConfigured(given, output, environment).choose(place, disk);
}

function openFiles(
  values: ConfigValues,
  output: Output,
  { installation }: ProcessEnvironment,
): OpenInstallation {
  const { config, dumptype, option: overrides = [], 'no-config': isUnwanted = false } = values;
  if (isUnwanted && dumptype !== undefined)
    throw new UsageError('--no-config and --dumptype cannot be combined.');
  const report = (line: string): void => {
    if (output.mode.debug) output.warn(`config: ${line}`);
  };
  const warn = (line: string): void => {
    output.note(line);
  };
  // Overrides count even without files.
  const isRead = installation !== undefined && !isUnwanted;
  return openInstallation({
    directory: isRead ? installation.directory : undefined,
    config: isRead ? config : undefined,
    dumptype,
    overrides,
    report,
    warn,
  });
}

/** The configuration's values in the form of options. */
function configuredValues(
  settings: Settings,
  values: TargetValues,
  output: Output,
  environment: ProcessEnvironment,
): TargetValues {
  const auth = authOf(settings);
  const isOther =
    values.auth !== undefined && auth !== undefined && values.auth.toLowerCase() !== auth;
  if (isOther && settings['client-port'] !== undefined && output.mode.debug)
    output.warn(`config: its client-port is that of auth ${auth}, not used`);
  return withoutUndefined({
    auth,
    port:
      values.port === undefined && !isOther
        ? portOf(auth ?? values.auth?.toLowerCase() ?? 'bsdtcp', settings, environment)
        : undefined,
    'amandad-path': nonEmpty(settings['amandad-path']),
    'client-username': nonEmpty(settings['client-username']),
    'ssh-key': nonEmpty(settings['ssh-keys']),
    'ssl-dir': nonEmpty(settings['ssl-dir']),
  });
}

/** Amanda's own names. Whether this version has a driver is checked later. */
const authNames: ReadonlySet<string> = new Set([
  'bsd',
  'bsdtcp',
  'bsdudp',
  'krb5',
  'local',
  'rsh',
  'ssh',
  'ssl',
]);

function authOf({ auth }: Settings): string | undefined {
  const name = nonEmpty(auth)?.toLowerCase();
  if (auth === undefined || name === undefined || authNames.has(name)) return name;
  throw configInvalid(
    auth.at,
    `there is no auth "${printable(name)}"; Amanda has ${[...authNames].join(' ')}.`,
  );
}

/** The port in digits; undefined for the driver's default. */
function portOf(
  auth: string,
  settings: Settings,
  { installation }: ProcessEnvironment,
): string | undefined {
  if (auth === 'local' || auth === 'rsh') return undefined;
  // With an auth and no port, Amanda uses the service `amanda`, for ssl too. ssh has its own
  // configuration.
  const byService =
    settings.auth === undefined || auth === 'ssh'
      ? undefined
      : { ...settings.auth, value: 'amanda' };
  const setting =
    nonEmpty(settings['client-port']) === undefined ? byService : settings['client-port'];
  return setting === undefined
    ? undefined
    : String(resolvePort(setting, protocolOf(auth), servicesText(installation?.services)));
}

/** The value of `--port`, which may be the name of a service. */
function portInDigits(
  { port, auth = 'bsdtcp' }: TargetValues,
  { installation }: ProcessEnvironment,
): string | undefined {
  if (port === undefined || !/^[a-z]/i.test(port)) return port;
  const protocol = protocolOf(auth.toLowerCase());
  const number = portOfService(port, protocol, servicesText(installation?.services));
  if (number !== undefined) return String(number);
  throw new UsageError(
    '--port takes a whole number from 1 to 65535 or the name of a service; ' +
      `there is no "${printable(port)}" over ${protocol} in /etc/services.`,
  );
}

function protocolOf(auth: string): 'tcp' | 'udp' {
  return auth === 'bsd' || auth === 'bsdudp' ? 'udp' : 'tcp';
}

function servicesText(path: string | undefined): string {
  try {
    return path === undefined ? '' : readRegularFile(path, 1_048_576).bytes.toString();
  } catch {
    // Port numbers work without the file.
    return '';
  }
}

/** An empty string sets nothing, as in Amanda. */
function nonEmpty(setting: Setting<string> | undefined): string | undefined {
  return setting?.value === '' ? undefined : setting?.value;
}

/** Leaves out undefined values. */
function withoutUndefined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
