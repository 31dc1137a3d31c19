import {
  Observable,
  Subscription,
  type Observer,
  type OperatorFunction,
  type Subscriber,
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
 * The connection lasts as long as the work, with pauses between calls of any length. Of the source
 * only the first connection is used. Errors with what the work or the connection errors with.
 *
 * @example
 * ```ts
 * import { bsdtcp, connect, noop, onConnection, selfcheck } from 'rx-amanda';
 * import { concat, of } from 'rxjs';
 *
 * const dles = [{ program: 'GNUTAR', disk: '/home' } as const];
 *
 * connect(bsdtcp({ host: 'db1.example.com' }))
 *   .pipe(
 *     onConnection((connection) =>
 *       concat(of(connection).pipe(noop()), of(connection).pipe(selfcheck({ dles }))),
 *     ),
 *   )
 *   .subscribe(console.log);
 * ```
 */
export function onConnection<T>(
  work: (connection: Connection) => Observable<T>,
): OperatorFunction<Connection, T> {
  checkArgument('The work of onConnection', work, 'function');
  return (connections) =>
    new Observable((out) => {
      // Unsubscribed before the source, so that the work can still end a service on the connection.
      const working = new Subscription();
      out.add(working);
      let hasBegun = false;
      out.add(
        connections.subscribe({
          next: (connection) => {
            if (hasBegun) return;
            hasBegun = true;
            // eslint-disable-next-line rxjs-x/no-nested-subscribe -- no operator has this order
            working.add(work(connection).pipe(asCallOn(connection)).subscribe(observerOf(out)));
          },
          error: (error: unknown) => {
            out.error(error);
          },
          // The work ends with its connection.
          complete: () => {
            if (!hasBegun) out.complete();
          },
        }),
      );
    });
}

/** Apart from the subscriber, which would take over the subscription. */
function observerOf<T>(out: Subscriber<T>): Observer<T> {
  return {
    next: (value) => {
      out.next(value);
    },
    error: (error: unknown) => {
      out.error(error);
    },
    complete: () => {
      out.complete();
    },
  };
}
