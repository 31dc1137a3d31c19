import {
  dematerialize,
  filter,
  materialize,
  mergeMap,
  type Observable,
  type OperatorFunction,
} from 'rxjs';
import type { Connection } from '../connection/connection.js';

/**
 * Does something with the source's connection, and holds the connection until that is done.
 *
 *     source  -C-------------|
 *     work     ----a--b|
 *     out     -----a--b|            then the source is unsubscribed, which ends the connection
 *
 * For several calls on one connection: an operator of one call lets go of the connection when that call is done. Of the source
 * only the first connection is used.
 */
export function onConnection<T>(
  work: (connection: Connection) => Observable<T>,
): OperatorFunction<Connection, T> {
  return (connections) =>
    connections.pipe(
      filter((_, index) => index === 0),
      // As a value, the end of the work also ends the wait for the source, which completes only when the connection does.
      mergeMap((connection) => work(connection).pipe(materialize())),
      dematerialize(),
    );
}
