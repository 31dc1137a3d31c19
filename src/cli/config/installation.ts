import { join } from 'node:path';
import { isAmandaError } from '../../wire/errors.js';
import { printable } from '../../wire/text.js';
import { UsageError } from '../terminal/arguments.js';
import { didYouMean } from '../terminal/suggest.js';
import { collect, override, type Configuration, type Override, type Report } from './collect.js';
import { parseDisklist, type DisklistEntry } from './disklist.js';
import { ConfigFiles } from './files.js';
import { positionText } from './lexer.js';
import { parseOverride } from './overrides.js';
import { belongs, type Settings } from './settings.js';
import type { Statement } from './statements.js';

export interface InstallationOptions {
  /** Amanda's configuration folder, `/etc/amanda`; undefined reads no file. */
  readonly directory: string | undefined;
  /** The target's name in the disklist. */
  readonly host: string;
  readonly disk?: string | undefined;
  /** The name of a configuration: a folder in `directory`. */
  readonly config?: string | undefined;
  /** The dumptype to use instead of the disklist's. */
  readonly dumptype?: string | undefined;
  /** `KEY=VALUE`, as with Amanda's programs. */
  readonly overrides?: readonly string[];
  /** Precedes each of them in a message; default `--option `. */
  readonly overridePrefix?: string;
  /** Takes what is ignored, and which entry was used. */
  readonly report: Report;
  /** Takes what could not be read, and what Amanda does not know. */
  readonly warn: Report;
}

/** What the installation says about connecting to a target. */
export interface Installation {
  readonly settings: Settings;
  /** The disklist entry that the settings come from. */
  readonly entry?: DisklistEntry;
}

/** The configuration of an installation, which has been read. */
export interface OpenInstallation {
  /** The entries of the disklist; empty without a configuration that has one. */
  readonly entries: readonly DisklistEntry[];
  /** What it says about connecting to a target. Errors as {@link readInstallation} does. */
  find(host: string, disk?: string): Installation;
}

/** Reads how this installation connects to one target, as {@link openInstallation} does. */
export function readInstallation({ host, disk, ...options }: InstallationOptions): Installation {
  return openInstallation(options).find(host, disk);
}

/**
 * Reads how this installation connects to targets.
 *
 * Like amdump, it uses amanda.conf and a dumptype if one is named, or if the disklist of the named
 * configuration has the target. Otherwise, like amrecover, it uses amanda-client.conf and then the
 * configuration's own.
 *
 * Errors with `CONFIG_INVALID`, naming file and line, with `UsageError`, and with `FILE_FAILED` for
 * an unreadable file of a named configuration. Without a name that is only a warning.
 */
export function openInstallation(
  options: Omit<InstallationOptions, 'host' | 'disk'>,
): OpenInstallation {
  const { directory, config, dumptype, warn } = options;
  const files = new ConfigFiles();
  if (config !== undefined && directory !== undefined)
    return openNamed(files, directory, config, options);
  if (dumptype !== undefined) throw new UsageError('--dumptype needs --config NAME.');
  const opened = (settings: Settings): OpenInstallation => ({
    entries: [],
    find: () => ({ settings }),
  });
  try {
    const paths = directory === undefined ? [] : [join(directory, CLIENT_CONF)];
    return opened(readClient(files, paths, options));
  } catch (error) {
    if (!isAmandaError(error, 'FILE_FAILED')) throw error;
    warn(`${error.message.replace(/\.$/, '')}; going on without it.`);
    return opened(readClient(files, [], options));
  }
}

type Opening = Omit<InstallationOptions, 'host' | 'disk'>;

const CLIENT_CONF = 'amanda-client.conf';
const SERVER_CONF = 'amanda.conf';

function openNamed(
  files: ConfigFiles,
  directory: string,
  config: string,
  options: Opening,
): OpenInstallation {
  if (!/^[^/]+$/.test(config) || config === '.' || config === '..')
    throw new UsageError(
      `--config takes the name of a folder in ${directory}, not "${printable(config)}".`,
    );
  const folder = join(directory, config);
  const statements = files.statements(join(folder, SERVER_CONF));
  const server =
    statements === undefined
      ? undefined
      : openServer(
          files,
          folder,
          [...(files.statements(join(directory, SERVER_CONF)) ?? []), ...statements],
          options,
        );
  let client: Settings | undefined;
  const asClient = (): Installation => {
    if (server === undefined && files.read(join(folder, CLIENT_CONF)) === undefined) {
      throw new UsageError(
        `There is no configuration ${printable(config)}: ` +
          `${folder} has neither ${SERVER_CONF} nor ${CLIENT_CONF}.`,
      );
    }
    if (options.dumptype !== undefined)
      throw new UsageError(`--dumptype needs ${join(folder, SERVER_CONF)}, which is not there.`);
    const paths = [join(directory, CLIENT_CONF), join(folder, CLIENT_CONF)];
    client ??= readClient(files, paths, options);
    return { settings: client };
  };
  if (server === undefined) asClient();
  return {
    entries: server?.entries ?? [],
    find: (host, disk) => server?.find(host, disk) ?? asClient(),
  };
}

/** The overrides, each of a key that has a place in this part or in a dumptype. */
function overridesOf(
  { overrides = [], overridePrefix }: Opening,
  scope: 'client' | 'server',
): readonly Override[] {
  return overrides.map((words) => {
    const parsed = parseOverride(words, overridePrefix);
    const { dumptype, key, at } = parsed;
    if (dumptype !== undefined || belongs(key, scope)) return parsed;
    const isDumptypes = scope === 'server' && belongs(key, 'dumptype');
    throw new UsageError(
      `${printable(at.file)}: ${key} has no meaning in ${scope === 'server' ? SERVER_CONF : CLIENT_CONF}` +
        (isDumptypes ? ` outside of a dumptype; give DUMPTYPE:NAME:${key}=VALUE.` : '.'),
    );
  });
}

function readClient(files: ConfigFiles, paths: readonly string[], options: Opening): Settings {
  const { report, warn } = options;
  const parsed = overridesOf(options, 'client');
  const lost = parsed.find(({ dumptype }) => dumptype !== undefined);
  if (lost !== undefined)
    throw new UsageError(`${printable(lost.at.file)}: no dumptype is used here.`);
  const statements = paths.flatMap((path) => {
    const found = files.statements(path);
    if (found !== undefined) report(`reading ${path}`);
    return [...(found ?? [])];
  });
  return override(
    collect(statements, { scope: 'client', overrides: parsed, report, warn }).settings,
    parsed,
  );
}

/** `find` gives undefined when the disklist does not have the target. */
function openServer(
  files: ConfigFiles,
  folder: string,
  statements: readonly Statement[],
  options: Opening,
): {
  readonly entries: readonly DisklistEntry[];
  find(host: string, disk?: string): Installation | undefined;
} {
  const { report, warn } = options;
  const parsed = overridesOf(options, 'server');
  report(`reading ${join(folder, SERVER_CONF)}`);
  const configuration = collect(statements, { scope: 'server', overrides: parsed, report, warn });
  const lost = parsed.find(
    ({ dumptype }) => dumptype !== undefined && !configuration.dumptypes.has(dumptype),
  );
  if (lost !== undefined)
    throw new UsageError(
      `${printable(lost.at.file)}: there is no such dumptype.` +
        didYouMean(lost.dumptype ?? '', configuration.dumptypes.keys()),
    );
  const general = parsed.filter(({ dumptype }) => dumptype === undefined);
  const chosen = chooseDumptype(folder, configuration, options);
  const { settings, ...definitions } = configuration;
  const path = join(folder, settings.diskfile?.value ?? 'disklist');
  const text = chosen === undefined ? files.read(path) : undefined;
  const include = files.include.bind(files);
  const read =
    text === undefined ? [] : parseDisklist(text, path, { definitions, report, warn, include });
  const withAll = (own: Settings): Settings => override({ ...settings, ...own }, general);
  const entries = read.map((entry) => ({ ...entry, settings: withAll(entry.settings) }));
  const hosts = new Map<string, DisklistEntry[]>();
  for (const entry of entries) {
    const host = entry.host.toLowerCase();
    const known = hosts.get(host);
    if (known === undefined) hosts.set(host, [entry]);
    else known.push(entry);
  }
  const find = (host: string, disk?: string): Installation | undefined => {
    if (chosen !== undefined) return { settings: withAll(chosen) };
    const found = entryOf(hosts.get(host.toLowerCase()) ?? [], disk);
    report(
      found === undefined
        ? `${printable(host)} is not in ${path}; ${CLIENT_CONF} says how it is reached`
        : `${describeEntry(found)} says how it is reached`,
    );
    return found && { settings: found.settings, entry: found };
  };
  return { entries, find };
}

/** The settings of `--dumptype`. */
function chooseDumptype(
  folder: string,
  { dumptypes }: Configuration,
  { dumptype }: Opening,
): Settings | undefined {
  if (dumptype === undefined) return undefined;
  const chosen = dumptypes.get(dumptype.toLowerCase());
  if (chosen !== undefined) return chosen;
  throw new UsageError(
    `There is no dumptype ${printable(dumptype)} in ${join(folder, SERVER_CONF)}.` +
      didYouMean(dumptype, dumptypes.keys()),
  );
}

/** Amanda keeps the disks of a host in reverse order, and uses the settings of the first. */
function entryOf(
  entries: readonly DisklistEntry[],
  disk: string | undefined,
): DisklistEntry | undefined {
  return entries.find((candidate) => candidate.disk === disk) ?? entries.at(-1);
}

function describeEntry({ at, host, disk, dumptype }: DisklistEntry): string {
  const name = dumptype === undefined ? 'a dumptype of its own' : `dumptype ${printable(dumptype)}`;
  return `${positionText(at)}: ${printable(host)} ${printable(disk)} with ${name}`;
}
