import {
  BehaviorSubject,
  NEVER,
  defer,
  distinctUntilChanged,
  finalize,
  map,
  skipWhile,
  switchMap,
  take,
  tap,
  timer,
  type MonoTypeOperatorFunction,
  type Observable,
} from 'rxjs';
import type { Connection } from '../connection/connection.js';
import { describePeer } from '../transport/channel.js';
import { AmandaError } from '../wire/errors.js';

/** How long a connection stays without a call after its last one, in milliseconds. */
const PAUSE = 1_000;

/** How many calls run on each connection that had one, and `over` when there will be no more. */
const calls = new WeakMap<Connection, BehaviorSubject<number | 'over'>>();

/**
 * Counts the source as a call on the connection while it is subscribed. Errors with
 * `CONNECTION_CLOSED` after {@link afterLastCall} has emitted.
 */
export function asCallOn<T>(connection: Connection): MonoTypeOperatorFunction<T> {
  return (work) =>
    defer(() => {
      const count = callsOn(connection);
      if (count.value === 'over') throw cameTooLate(connection);
      count.next(count.value + 1);
      return work.pipe(
        finalize(() => {
          if (count.value !== 'over') count.next(count.value - 1);
        }),
      );
    });
}

/**
 * Emits 1 s after the last call on the connection, and completes.
 *
 *     calls   --(---)--(----)-----
 *     result  -------------------(x|)
 */
export function afterLastCall(connection: Connection): Observable<unknown> {
  const count = callsOn(connection);
  return count.pipe(
    map((running) => running !== 0),
    distinctUntilChanged(),
    skipWhile((isUsed) => !isUsed),
    switchMap((isUsed) => (isUsed ? NEVER : timer(PAUSE))),
    take(1),
    tap(() => {
      count.next('over');
    }),
  );
}

function callsOn(connection: Connection): BehaviorSubject<number | 'over'> {
  const known = calls.get(connection);
  if (known !== undefined) return known;
  const count = new BehaviorSubject<number | 'over'>(0);
  calls.set(connection, count);
  return count;
}

function cameTooLate({ peer }: Connection): AmandaError {
  const name = describePeer(peer);
  return new AmandaError(
    'CONNECTION_CLOSED',
    `The connection to ${name} was closed ${PAUSE / 1_000} s after its last call. For calls with longer pauses use onConnection().`,
    { peer: name },
  );
}
