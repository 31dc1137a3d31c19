import { join } from 'node:path';
import type { Service } from '../../exchange/service.js';
import { amandaServicesNamed } from './amanda-service-names.js';
import { processService, type ProcessServiceOptions } from './process-service.js';

/** Options of {@link amandaServices}. */
export interface AmandaServicesOptions extends ProcessServiceOptions {
  /** The folder of the executables. Default `/usr/lib/amanda`. */
  readonly libexec?: string;
  /**
   * The services to offer; `amdump` stands for noop, sendsize, sendbackup and selfcheck. Default
   * (also for an empty list): all of them for auth `local`, `rsh` and `ssh`, otherwise these four,
   * senddiscover and restore.
   */
  readonly names?: readonly string[];
}

/**
 * Amanda's executables as services, by name, as amandad offers them for the same command line.
 *
 * Throws `BAD_ARGUMENT` for a name that is not one of Amanda's services.
 */
export function amandaServices({
  libexec = '/usr/lib/amanda',
  names = [],
  ...options
}: AmandaServicesOptions = {}): Readonly<Record<string, Service>> {
  return Object.fromEntries(
    amandaServicesNamed(names, options.auth).map((name) => [
      name,
      processService(join(libexec, name), options),
    ]),
  );
}
