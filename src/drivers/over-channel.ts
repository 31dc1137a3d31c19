import { Observable } from 'rxjs';
import type { Channel } from '../transport/channel.js';
import type { Connection } from '../connection/connection.js';
import type { ConnectionOptions } from '../connection/options.js';
import { TcpmConnection, type ConnectionSide } from '../connection/tcpm-connection.js';
import { checkArgument, checkMethods } from '../wire/arguments.js';
import { yieldConnection } from './yield-connection.js';

/**
 * The connection over an open channel: what `open` of a driver of your own returns.
 *
 *     overChannel  C-----|      C: the Connection; the result completes with it
 *     !            ---!         unsubscribing ends it
 *
 * @example
 * ```ts
 * import { Socket } from 'node:net';
 * import { Observable } from 'rxjs';
 * import type { Driver } from 'rx-amanda';
 * import { StreamChannel, overChannel } from 'rx-amanda/driver';
 *
 * // A driver over a socket that is connected already.
 * function overSocket(socket: Socket): Driver {
 *   const channel = new StreamChannel({ input: socket, output: socket, peer: { driver: 'mine' } });
 *   const role = { side: 'initiator', user: undefined } as const;
 *   const open: Driver['open'] = (options) => overChannel(channel, role, options);
 *   return { name: 'mine', user: undefined, open };
 * }
 * ```
 */
export function overChannel(
  channel: Channel,
  role: ConnectionSide,
  options: ConnectionOptions = {},
): Observable<Connection> {
  checkMethods('The channel of overChannel', channel, 'write', 'close');
  checkArgument('The role of overChannel', role, 'object');
  return new Observable((out) => yieldConnection(new TcpmConnection(channel, role, options), out));
}
