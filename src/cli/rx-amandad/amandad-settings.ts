import { existsSync } from 'node:fs';
import { isAmandaError, type AmandaError } from '../../wire/errors.js';
import type { AmandadArguments } from './amandad-arguments.js';
import type { AmandadEnvironment } from './amandad-environment.js';
import type { Settings } from '../config/settings.js';

/** What the installation's configuration and the words behind `rx-amandad` say to a target. */
export interface AmandadSettings {
  readonly settings: Settings;
  /** What is wrong with the configuration. Amanda refuses every request then, and says what. */
  readonly trouble?: AmandaError;
  /** For the log, once that is open. */
  readonly notes: readonly string[];
}

/**
 * Reads amanda-client.conf, which is a target's configuration as well, and puts what the words say in front of it. Where there is no such
 * file, and no such word, nothing is loaded: under inetd this program is started for each connection.
 *
 * Errors with `CONFIG_INVALID` for a word that cannot be meant.
 */
export async function amandadSettings(
  { settings: words, noConfig, debug }: Pick<AmandadArguments, 'settings' | 'noConfig' | 'debug'>,
  { installation }: Pick<AmandadEnvironment, 'installation'>,
): Promise<AmandadSettings> {
  const directory =
    noConfig || installation === undefined || !existsSync(`${installation}/amanda-client.conf`)
      ? undefined
      : installation;
  if (directory === undefined && words.length === 0) return { settings: {}, notes: [] };
  const { readInstallation } = await import('../config/installation.js');
  const notes: string[] = [];
  const tell = (line: string): void => {
    if (debug) notes.push(`config: ${line}`);
  };
  const read = (from: string | undefined): Settings =>
    readInstallation({
      directory: from,
      host: '',
      overrides: words,
      overridePrefix: '-',
      tell,
      warn: (line) => notes.push(line),
    }).settings;
  const said = read(undefined);
  try {
    return { settings: read(directory), notes };
  } catch (error) {
    if (!isAmandaError(error)) throw error;
    return { settings: said, trouble: error, notes: [...notes, error.message] };
  }
}
