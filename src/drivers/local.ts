import { lookup } from 'node:dns/promises';
import { hostname, networkInterfaces } from 'node:os';
import { defer, switchMap } from 'rxjs';
import { checkOptions } from '../wire/arguments.js';
import { AmandaError } from '../wire/errors.js';
import { throughCommand } from './command.js';
import type { Driver } from './driver.js';

/** Where Debian has amandad. */
export const DEFAULT_AMANDAD = '/usr/lib/amanda/amandad';

/** Options of {@link local}. */
export interface LocalOptions {
  /** Must be this host; default `localhost`. */
  readonly host?: string;
  /** Path of amandad, default {@link DEFAULT_AMANDAD}. */
  readonly amandadPath?: string;
}

/**
 * An amandad on this host, started for the connection, with its standard input and output as the
 * channel. There is no check: a user that may start it is trusted.
 *
 * Errors with `CONNECT_FAILED` for a host that is not this one, and with `COMMAND_FAILED`.
 * Source: PROTOCOL.md, "Drivers".
 */
export function local(options: LocalOptions = {}): Driver {
  checkOptions('local', options, { host: 'name?', amandadPath: 'name?' });
  const { host = 'localhost', amandadPath = DEFAULT_AMANDAD } = options;
  return {
    name: 'local',
    user: undefined,
    host,
    open: (connection) =>
      defer(() => checkLocal(host)).pipe(
        switchMap(() =>
          throughCommand(
            { program: amandadPath, args: ['-auth=local'] },
            { driver: 'local', host },
            connection,
          ),
        ),
      ),
  };
}

async function checkLocal(host: string): Promise<void> {
  if (host === 'localhost' || host.toLowerCase() === hostname().toLowerCase()) return;
  const own = new Set(
    Object.values(networkInterfaces()).flatMap(
      (addresses) => addresses?.map(({ address }) => address) ?? [],
    ),
  );
  const addresses = await lookup(host, { all: true }).catch(() => []);
  if (
    !addresses.some(
      ({ address }) => own.has(address) || address.startsWith('127.') || address === '::1',
    )
  ) {
    throw new AmandaError(
      'CONNECT_FAILED',
      `${host} is not this host; auth local reaches an amandad on this host only.`,
      { peer: host },
    );
  }
}
