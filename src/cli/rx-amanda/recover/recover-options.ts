import type { Observable } from 'rxjs';
import type { Connection } from '../../../connection/connection.js';
import type { RequestOptions } from '../../../exchange/request.js';
import type { parseArguments } from '../../terminal/arguments.js';
import { UsageError } from '../../terminal/arguments.js';
import { exitCodesHelp } from '../../terminal/exit.js';
import { chooseConfigured, configOptions } from '../configured.js';
import { connectTarget } from '../connect-target.js';
import type { ProcessEnvironment } from '../environment.js';
import type { Output } from '../output.js';
import { targetOptions, targetOptionsHelp, timingFor } from '../target.js';

/** The options of every command that asks a server for its backups. */
export const serverOptions = {
  ...targetOptions,
  config: configOptions.config,
  option: configOptions.option,
  'no-config': configOptions['no-config'],
  host: { type: 'string' },
  disk: { type: 'string' },
  date: { type: 'string' },
  'allow-program': { type: 'string', multiple: true },
  device: { type: 'string' },
} as const;

/** The options of `rx-amanda recover`. */
export const recoverOptions = {
  ...serverOptions,
  escaped: { type: 'boolean' },
  directory: { type: 'string', short: 'C' },
  into: { type: 'string' },
  overwrite: { type: 'boolean' },
  raw: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
} as const;

/** Their values as they were typed. */
export type ServerValues = ReturnType<typeof parseArguments<typeof serverOptions>>['values'];
export type RecoverValues = ReturnType<typeof parseArguments<typeof recoverOptions>>['values'];

/** A server, and how it is asked. */
export interface ChosenServer {
  readonly config: string;
  readonly connections: Observable<Connection>;
  readonly timing: RequestOptions;
  /** Milliseconds; undefined for the defaults. */
  readonly silence: number | undefined;
}

/** Chooses the server by the options, then by amanda-client.conf. Throws {@link UsageError}. */
export function chooseServer(
  place: string | undefined,
  values: ServerValues,
  output: Output,
  environment: ProcessEnvironment,
): ChosenServer {
  if (place === undefined || place === '') throw new UsageError('SERVER is missing.');
  const { config, ...reaching } = values;
  if (config === undefined || config === '')
    throw new UsageError('--config NAME is missing: the configuration on the server.');
  const { target } = chooseConfigured(place, undefined, reaching, output, environment);
  return {
    config,
    connections: connectTarget(target, values, output, environment),
    timing: timingFor(target.timeout, target.settings),
    silence: target.timeout,
  };
}

/** What a command that asks a server says of its options. */
export const serverHelp = `\
  --config NAME           the configuration on the server
  --host HOST             whose dumps; default this host, or the only one
  --disk DISK             as the disklist of the server names it; default the
                          only one
  --date YYYY-MM-DD       as it was at the end of that day; -hh-mm-ss may follow.
                          Default: as the newest dump has it`;

/** What it says of reading images. */
export const imageHelp = `\
  --allow-program PROGRAM run this program if the header of a dump names it; only
                          gzip, zstd and the like run without. Repeatable
  --device NAME           the storage, changer or device of the server to read
                          from`;

/** The end of its help. */
export const reachingHelp = `\
${targetOptionsHelp}
  --option, -o KEY=VALUE  set a key of amanda-client.conf; repeatable
  --no-config             do not read /etc/amanda/amanda-client.conf

Here HOST in "Reaching the host" is SERVER, and may be SERVER:PORT.

${exitCodesHelp}
`;
