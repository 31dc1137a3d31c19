import { map } from 'rxjs';
import type { Connection } from '../connection/connection.js';
import type { ConnectionOptions } from '../connection/options.js';
import { TcpmConnection, type ConnectionSide } from '../connection/tcpm-connection.js';
import type { PageScope } from '../diagram/page/page.js';
import { ScriptedPeer } from './scripted-peer.js';

/** A connection under test and its other side. */
export interface PageConnection {
  /** The connection under test. */
  readonly connection: Connection;
  /** Sends what the page plays, and has what the connection sends. */
  readonly peer: ScriptedPeer;
}

/**
 * A connection for the `wire` of a page. It ends with the page.
 *
 * Each frame leaves in the tick that sends it (`gather: false`), so a page can draw when. The page
 * must draw when the connection is paused or stalled. A failed page lists all frames that it sent.
 *
 *     wire: ({ target }, scope) => {
 *       const { connection, peer } = pageConnection(scope, { side: 'initiator', user: undefined });
 *       scope.ends.add(peer.send(1, target));
 *       return { initiator: peer.received(1), replies: of(connection).pipe(request('noop')) };
 *     }
 */
export function pageConnection(
  scope: PageScope,
  side: ConnectionSide,
  options: ConnectionOptions = {},
): PageConnection {
  const peer = new ScriptedPeer();
  const connection = new TcpmConnection(peer.channel, side, { ...options, gather: false });
  scope.ends.add(() => {
    connection.dispose();
  });
  scope.measure('paused', peer.paused);
  scope.measure('stalled', connection.flow.pipe(map(({ stall }) => stall !== undefined)));
  scope.list('sent', peer.frames);
  return { connection, peer };
}
