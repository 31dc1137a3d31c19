import { map } from 'rxjs';
import type { ConnectionOptions } from '../../src/connection/options.js';
import { TcpmConnection, type ConnectionSide } from '../../src/connection/tcpm-connection.js';
import type { PageScope } from '../../src/diagram/page/page.js';
import { ScriptedPeer } from '../../src/testing/index.js';

/** A connection of the library, whose other side a page plays. */
export interface Connected {
  readonly connection: TcpmConnection;
  readonly peer: ScriptedPeer;
}

/** A connection that ends with its page; the page must draw when it is paused or stalled. */
export function connected(
  scope: PageScope,
  role: ConnectionSide,
  options: ConnectionOptions = {},
): Connected {
  const peer = new ScriptedPeer();
  const connection = new TcpmConnection(peer.channel, role, { ...options, gather: false });
  scope.ends.add(() => {
    connection.dispose();
  });
  scope.measure('paused', peer.paused);
  scope.measure('stalled', connection.flow.pipe(map(({ stall }) => stall !== undefined)));
  return { connection, peer };
}
