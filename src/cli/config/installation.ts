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
  /** Where Amanda's configuration is: `/etc/amanda`. Without it no file is read. */
  readonly directory: string | undefined;
  /** The target, as the disklist may name it. */
  readonly host: string;
  readonly disk?: string | undefined;
  /** The name of a configuration: a folder below `directory`. */
  readonly config?: string | undefined;
  /** The dumptype to go by, instead of the one that the disklist names. */
  readonly dumptype?: string | undefined;
  /** `KEY=VALUE`, as with Amanda's programs. */
  readonly overrides?: readonly string[];
  /** What stands before each of them on the command line; default `--option `. */
  readonly overridePrefix?: string;
  /** Told what is ignored, and which entry was used. */
  readonly report: Report;
  /** Told what could not be read. */
  readonly warn: Report;
}

/** What the installation says about reaching a target. */
export interface Installation {
  readonly settings: Settings;
  /** The line of the disklist that it was taken from. */
  readonly entry?: DisklistEntry;
}

/**
 * How this installation of Amanda reaches a target: as amdump does when the configuration's disklist has the target or a dumptype is
 * named (amanda.conf and that dumptype), otherwise as amrecover does (amanda-client.conf, then the configuration's own).
 *
 * Errors with `CONFIG_INVALID`, naming file and line; with `FILE_FAILED` for a file that cannot be read, unless no configuration was named:
 * then that is only told; and with `UsageError`.
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
      `There is no configuration ${printable(config)}: ${folder} has neither ${SERVER_CONF} nor ${CLIENT_CONF}.`,
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
  // Amanda keeps the disks of a host in reverse, and asks the host the way that the first of them says.
  const entry = entries.find((candidate) => candidate.disk === disk) ?? entries.at(-1);
  if (entry === undefined) {
    report(`${printable(host)} is not in ${path}; ${CLIENT_CONF} says how it is reached`);
    return undefined;
  }
  report(
    `${positionText(entry.at)}: ${printable(entry.host)} ${printable(entry.disk)} with ${entry.dumptype === undefined ? 'a dumptype of its own' : `dumptype ${printable(entry.dumptype)}`} says how it is reached`,
  );
  return { settings: entry.settings, entry };
}
