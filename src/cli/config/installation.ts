import { join } from 'node:path';
import { isAmandaError } from '../../wire/errors.js';
import { printable } from '../../wire/text.js';
import { UsageError } from '../terminal/arguments.js';
import { collect, override, type Configuration, type Override, type Report } from './collect.js';
import { parseDisklist, type DisklistEntry } from './disklist.js';
import { ConfigFiles } from './files.js';
import { positionText } from './lexer.js';
import { parseOverride } from './overrides.js';
import type { Settings } from './settings.js';
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
  /** Takes what could not be read. */
  readonly warn: Report;
}

/** What the installation says about connecting to a target. */
export interface Installation {
  readonly settings: Settings;
  /** The disklist entry that the settings come from. */
  readonly entry?: DisklistEntry;
}

/**
 * Reads how this installation connects to a target.
 *
 * Like amdump, it uses amanda.conf and a dumptype if one is named, or if the disklist of the named
 * configuration has the target. Otherwise, like amrecover, it uses amanda-client.conf and then the
 * configuration's own.
 *
 * Errors with `CONFIG_INVALID`, naming file and line, with `UsageError`, and with `FILE_FAILED` for
 * an unreadable file of a named configuration. Without a name that is only a warning.
 */
export function readInstallation(options: InstallationOptions): Installation {
  const { directory, config, dumptype, warn } = options;
  const files = new ConfigFiles();
  if (config !== undefined && directory !== undefined)
    return readNamed(files, directory, config, options);
  if (dumptype !== undefined) throw new UsageError('--dumptype needs --config NAME.');
  try {
    return {
      settings: readClient(
        files,
        directory === undefined ? [] : [join(directory, CLIENT_CONF)],
        options,
      ),
    };
  } catch (error) {
    if (!isAmandaError(error, 'FILE_FAILED')) throw error;
    warn(`${error.message.replace(/\.$/, '')}; going on without it.`);
    return { settings: readClient(files, [], options) };
  }
}

const CLIENT_CONF = 'amanda-client.conf';
const SERVER_CONF = 'amanda.conf';

function readNamed(
  files: ConfigFiles,
  directory: string,
  config: string,
  options: InstallationOptions,
): Installation {
  if (!/^[^/]+$/.test(config) || config === '.' || config === '..')
    throw new UsageError(
      `--config takes the name of a folder in ${directory}, not "${printable(config)}".`,
    );
  const folder = join(directory, config);
  const statements = files.statements(join(folder, SERVER_CONF));
  const found =
    statements === undefined
      ? undefined
      : readServer(
          files,
          folder,
          [...(files.statements(join(directory, SERVER_CONF)) ?? []), ...statements],
          options,
        );
  if (found !== undefined) return found;
  if (statements === undefined && files.read(join(folder, CLIENT_CONF)) === undefined) {
    throw new UsageError(
      `There is no configuration ${printable(config)}: ` +
        `${folder} has neither ${SERVER_CONF} nor ${CLIENT_CONF}.`,
    );
  }
  if (options.dumptype !== undefined)
    throw new UsageError(`--dumptype needs ${join(folder, SERVER_CONF)}, which is not there.`);
  return {
    settings: readClient(files, [join(directory, CLIENT_CONF), join(folder, CLIENT_CONF)], options),
  };
}

function overridesOf({ overrides = [], overridePrefix }: InstallationOptions): readonly Override[] {
  return overrides.map((words) => parseOverride(words, overridePrefix));
}

function readClient(
  files: ConfigFiles,
  paths: readonly string[],
  options: InstallationOptions,
): Settings {
  const { report } = options;
  const parsed = overridesOf(options);
  const lost = parsed.find(({ dumptype }) => dumptype !== undefined);
  if (lost !== undefined)
    throw new UsageError(`${printable(lost.at.file)}: no dumptype is used here.`);
  const statements = paths.flatMap((path) => {
    const found = files.statements(path);
    if (found !== undefined) report(`reading ${path}`);
    return [...(found ?? [])];
  });
  return override(
    collect(statements, { scope: 'client', overrides: parsed, report }).settings,
    parsed,
  );
}

/** Undefined when the disklist does not have the target. */
function readServer(
  files: ConfigFiles,
  folder: string,
  statements: readonly Statement[],
  options: InstallationOptions,
): Installation | undefined {
  const { report } = options;
  const parsed = overridesOf(options);
  report(`reading ${join(folder, SERVER_CONF)}`);
  const configuration = collect(statements, { scope: 'server', overrides: parsed, report });
  const lost = parsed.find(
    ({ dumptype }) => dumptype !== undefined && !configuration.dumptypes.has(dumptype),
  );
  if (lost !== undefined)
    throw new UsageError(`${printable(lost.at.file)}: there is no such dumptype.`);
  const found = chooseDumptype(files, folder, configuration, options);
  if (found === undefined) return undefined;
  const settings = override(
    { ...configuration.settings, ...found.settings },
    parsed.filter(({ dumptype }) => dumptype === undefined),
  );
  return { ...found, settings };
}

function chooseDumptype(
  files: ConfigFiles,
  folder: string,
  { settings, dumptypes }: Configuration,
  options: InstallationOptions,
): Installation | undefined {
  const { host, disk, dumptype, report } = options;
  if (dumptype !== undefined) {
    const chosen = dumptypes.get(dumptype.toLowerCase());
    if (chosen === undefined)
      throw new UsageError(
        `There is no dumptype ${printable(dumptype)} in ${join(folder, SERVER_CONF)}.`,
      );
    return { settings: chosen };
  }
  const path = join(folder, settings.diskfile?.value ?? 'disklist');
  const text = files.read(path);
  const include = files.include.bind(files);
  const all = text === undefined ? [] : parseDisklist(text, path, { dumptypes, report, include });
  const entries = all.filter((entry) => entry.host.toLowerCase() === host.toLowerCase());
  // Amanda keeps the disks of a host in reverse order, and uses the settings of the first.
  const entry = entries.find((candidate) => candidate.disk === disk) ?? entries.at(-1);
  if (entry === undefined) {
    report(`${printable(host)} is not in ${path}; ${CLIENT_CONF} says how it is reached`);
    return undefined;
  }
  const name =
    entry.dumptype === undefined
      ? 'a dumptype of its own'
      : `dumptype ${printable(entry.dumptype)}`;
  const place = `${positionText(entry.at)}: ${printable(entry.host)} ${printable(entry.disk)}`;
  report(`${place} with ${name} says how it is reached`);
  return { settings: entry.settings, entry };
}
