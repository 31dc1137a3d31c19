import type { Subscriber, TeardownLogic } from 'rxjs';
import type { Connection } from '../connection/connection.js';

/** Emits a connection and completes with it; unsubscribing ends it. */
export function yieldConnection(
  connection: Connection & { dispose(): void },
  out: Subscriber<Connection>,
): TeardownLogic {
  out.add(() => {
    connection.dispose();
  });
  out.next(connection);
  out.add(connection.ended.subscribe(out));
  return undefined;
}
