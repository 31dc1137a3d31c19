import { existsSync } from 'node:fs';
import { isAmandaError, type AmandaError } from '../../wire/errors.js';
import type { AmandadArguments } from './amandad-arguments.js';
import type { AmandadEnvironment } from './amandad-environment.js';
import type { Settings } from '../config/settings.js';

/** The settings of a target: the installation's configuration and the command line. */
export interface AmandadSettings {
  readonly settings: Settings;
  /** An error in the configuration. Like amandad, we then refuse every request with it. */
  readonly problem?: AmandaError;
  /** Lines for the log, which is not open yet. */
  readonly notes: readonly string[];
}

/**
 * Loads what reads amanda-client.conf, which configures targets as well, and returns the function
 * that reads it: rights have to be given up in between. The command line has precedence. Loads
 * nothing when neither has a setting.
 *
 * Errors with `CONFIG_INVALID` for an invalid argument.
 */
export async function amandadSettings(
  { settings: args, noConfig, debug }: Pick<AmandadArguments, 'settings' | 'noConfig' | 'debug'>,
  { installation }: Pick<AmandadEnvironment, 'installation'>,
): Promise<() => AmandadSettings> {
  const directory =
    noConfig || installation === undefined || !existsSync(`${installation}/amanda-client.conf`)
      ? undefined
      : installation;
  if (directory === undefined && args.length === 0) return () => ({ settings: {}, notes: [] });
  const { readInstallation } = await import('../config/installation.js');
  const notes: string[] = [];
  const report = (line: string): void => {
    if (debug) notes.push(`config: ${line}`);
  };
  const read = (from: string | undefined): Settings =>
    readInstallation({
      directory: from,
      host: '',
      overrides: args,
      overridePrefix: '-',
      report,
      warn: (line) => notes.push(line),
    }).settings;
  const fallback = read(undefined);
  return () => {
    try {
      return { settings: read(directory), notes };
    } catch (error) {
      if (!isAmandaError(error)) throw error;
      return { settings: fallback, problem: error, notes: [...notes, error.message] };
    }
  };
}
