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
