import { concatMap, of, type OperatorFunction } from 'rxjs';
import type { Connection } from '../connection/connection.js';
import { describePeer } from '../transport/channel.js';
import { checkOptions } from '../wire/arguments.js';
import { AmandaError } from '../wire/errors.js';
import { noop, type Noop } from './noop.js';
import { onConnection } from './on-connection.js';
import { sendbackup, type Dump, type SendbackupOptions } from './sendbackup.js';

/**
 * Asks a target for its features, and then for a dump with the options that it supports.
 *
 *     source  -C--------------------|
 *     asked   -noop--sendbackup
 *     out     -------------d--------|      d: the Dump
 *
 * Errors with `SERVICE_FAILED` when the target is too old to read a request for a dump, and as
 * {@link noop} and {@link sendbackup} do. Source: PROTOCOL.md, "Features".
 *
 * @example
 * ```ts
 * import { createWriteStream } from 'node:fs';
 * import { bsdtcp, connect, dump, receiveDump } from 'rx-amanda';
 *
 * connect(bsdtcp({ host: 'db1.example.com' }))
 *   .pipe(
 *     dump({ dle: { program: 'GNUTAR', disk: '/home' } }),
 *     receiveDump(() => ({ data: createWriteStream('home.tar') })),
 *   )
 *   .subscribe(console.log);
 * ```
 */
export function dump(options: SendbackupOptions): OperatorFunction<Connection, Dump> {
  checkOptions('dump', options, { dle: 'object' });
  const { dle: _, options: __, ...call } = options;
  return onConnection((connection) =>
    of(connection).pipe(
      noop(call),
      concatMap((answer) =>
        of(connection).pipe(sendbackup({ ...options, target: featuresOf(answer) })),
      ),
    ),
  );
}

/** Undefined when the target names no features; a program's own service need not name any. */
function featuresOf({ features, reply }: Noop): Noop['features'] | undefined {
  if (reply.options.get('features') === undefined) return undefined;
  if (features.has('fe_req_xml')) return features;
  const peer = describePeer(reply.connection.peer);
  throw new AmandaError(
    'SERVICE_FAILED',
    `${peer} runs an Amanda from before 2.6, which does not read the requests of this library.`,
    { peer },
  );
}
