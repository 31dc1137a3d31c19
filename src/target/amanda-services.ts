import { join } from 'node:path';
import type { Service } from '../exchange/service.js';
import { AmandaError } from '../wire/errors.js';
import { printable } from '../wire/text.js';
import { processService, type ProcessServiceOptions } from './process-service.js';

/** Every service that Amanda has; an executable of that name each. Source: PROTOCOL.md, "The exchange: target". */
export const amandaServiceNames = [
  'noop',
  'sendsize',
  'sendbackup',
  'selfcheck',
  'senddiscover',
  'restore',
  'amindexd',
  'amidxtaped',
  'amdumpd',
  'ambackupd',
] as const;

export type AmandaServiceName = (typeof amandaServiceNames)[number];

export interface AmandaServicesOptions extends ProcessServiceOptions {
  /** The folder of the executables. Default `/usr/lib/amanda`. */
  readonly libexec?: string;
  /**
   * The services to offer, and no others; `amdump` stands for noop, sendsize, sendbackup and selfcheck. Default
   * (also for an empty list): all for auth `local`, `rsh` and `ssh`, else the four, senddiscover and restore.
   */
  readonly names?: readonly string[];
}

/**
 * Amanda's own services by their names, as amandad offers them for the same words on its command line.
 *
 * Throws `BAD_ARGUMENT` for a name that is not one of Amanda's services: a path is made of it.
 */
export function amandaServices({ libexec = '/usr/lib/amanda', names = [], ...options }: AmandaServicesOptions = {}): Readonly<Record<string, Service>> {
  const chosen = names.length === 0 ? defaultNames(options.auth) : names.flatMap(expand);
  return Object.fromEntries(chosen.map((name) => [name, processService(join(libexec, name), options)]));
}

const amdump: readonly AmandaServiceName[] = ['noop', 'sendsize', 'sendbackup', 'selfcheck'];

function defaultNames(auth = ''): readonly AmandaServiceName[] {
  return ['local', 'rsh', 'ssh'].includes(auth) ? amandaServiceNames : [...amdump, 'senddiscover', 'restore'];
}

function expand(word: string): readonly AmandaServiceName[] {
  if (word === 'amdump') return amdump;
  const name = amandaServiceNames.find((known) => known === word);
  if (name === undefined) {
    throw new AmandaError('BAD_ARGUMENT', `"${printable(word, 80)}" is no service of Amanda's; there are amdump, ${amandaServiceNames.join(', ')}.`);
  }
  return [name];
}
