import type { Subscriber, TeardownLogic } from 'rxjs';
import type { Connection } from '../connection/connection.js';
import type { TcpmConnection } from '../connection/tcpm-connection.js';

/** Emits a connection and lives as long as it does; unsubscribing ends it. */
export function yieldConnection(
  connection: TcpmConnection,
  out: Subscriber<Connection>,
): TeardownLogic {
  out.add(() => {
    connection.dispose();
  });
  out.next(connection);
  out.add(connection.ended.subscribe(out));
  return undefined;
}
