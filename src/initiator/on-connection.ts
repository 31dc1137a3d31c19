import {
  dematerialize,
  filter,
  materialize,
  mergeMap,
  type Observable,
  type OperatorFunction,
} from 'rxjs';
import type { Connection } from '../connection/connection.js';
import { checkArgument } from '../wire/arguments.js';
import { asCallOn } from '../exchange/calls.js';

/**
 * Makes several calls on the source's connection, and ends the connection after them.
 *
 *     source  -C-------------|
 *     work     ----a--b|
 *     out     -----a--b|            then the source is unsubscribed, which ends the connection
 *
 *     connect(bsdtcp({ host })).pipe(
 *       onConnection((connection) =>
 *         concat(of(connection).pipe(noop()), of(connection).pipe(selfcheck({ dles }))),
 *       ),
 *     );
 *
 * The connection lasts as long as the work, with pauses between calls of any length. Of the source
 * only the first connection is used. Errors with what the work or the connection errors with.
 */
export function onConnection<T>(
  work: (connection: Connection) => Observable<T>,
): OperatorFunction<Connection, T> {
  checkArgument('The work of onConnection', work, 'function');
  return (connections) =>
    connections.pipe(
      filter((_, index) => index === 0),
      // The source completes only with the connection, so the end of the work travels as a value.
      mergeMap((connection) => work(connection).pipe(asCallOn(connection), materialize())),
      dematerialize(),
    );
}
