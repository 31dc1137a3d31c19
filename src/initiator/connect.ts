import {
  TimeoutError,
  catchError,
  connect as share,
  defer,
  mergeMap,
  retry,
  takeUntil,
  tap,
  throwError,
  timeout,
  timer,
  type Observable,
} from 'rxjs';
import type { Connection } from '../connection/connection.js';
import type { ConnectionOptions } from '../connection/options.js';
import { afterLastCall } from '../exchange/calls.js';
import { reportRetriesOf, type Retry } from '../exchange/retries.js';
import { timingWith, type Timing } from '../exchange/timing.js';
import { failAfter } from '../operators/fail-after.js';
import { describePeer } from '../transport/channel.js';
import { checkMethods } from '../wire/arguments.js';
import { AmandaError, isAmandaError } from '../wire/errors.js';
import type { Driver } from '../drivers/driver.js';

/** Options of {@link connect}: times in milliseconds, and the bounds of the connection. */
export interface ConnectOptions
  extends
    ConnectionOptions,
    Partial<Pick<Timing, 'connectTimeout' | 'connectTries' | 'connectWait'>> {
  /**
   * Milliseconds from the subscription to the end of everything on the connection, whatever takes
   * the time. Then the connection, its requests and its streams error with `DEADLINE`. Default:
   * none.
   */
  readonly deadline?: number;
  /** Whether to repeat a failed attempt. Default: for `CONNECT_FAILED` and `CONNECT_TIMEOUT`. */
  readonly retryIf?: (error: AmandaError) => boolean;
  /** Called before each repeated attempt to connect, and before each repeated request. */
  readonly onRetry?: (retry: Retry) => void;
}

/**
 * Connects to a target.
 *
 *     connect  ----C-----------|     C: the Connection; completes when it has ended in good order
 *     !            ----------!       unsubscribing ends the connection
 *
 * Also completes, and ends the connection, 1 s after its last call is over. {@link onConnection}
 * holds a connection for longer, and ends it without that second.
 *
 * An attempt takes at most 20 s and is made 3 times, 5 s apart. Errors with `CONNECT_TIMEOUT`, or
 * with the last attempt's error (`CONNECT_FAILED`, `NO_RESERVED_PORT`, `COMMAND_FAILED`). Once
 * connected, errors with what broke the connection. Source: PROTOCOL.md, "The exchange: initiator".
 *
 * @example
 * ```ts
 * import { bsdtcp, connect, noop } from 'rx-amanda';
 *
 * connect(bsdtcp({ host: 'db1.example.com' }), { connectTries: 1 })
 *   .pipe(noop())
 *   .subscribe(({ features }) => console.log(features.names()));
 * ```
 */
export function connect(driver: Driver, options: ConnectOptions = {}): Observable<Connection> {
  checkMethods('The driver of connect', driver, 'open');
  const { connectTimeout, connectTries, connectWait } = timingWith(options);
  const { deadline, retryIf = isWorthAnotherTry, onRetry } = options;
  const attempts = driver.open(options).pipe(
    timeout({ first: connectTimeout }),
    catchError((error: unknown) =>
      throwError(() => (error instanceof TimeoutError ? tooSlow(driver, connectTimeout) : error)),
    ),
    retry({
      count: connectTries - 1,
      delay: (error: unknown, failures) => {
        if (!isAmandaError(error) || !retryIf(error)) return throwError(() => error);
        onRetry?.({
          what: 'connect',
          peer: placeOf(driver),
          attempt: failures + 1,
          tries: connectTries,
          reason: error.message,
          wait: connectWait,
          error,
        });
        return timer(connectWait);
      },
    }),
  );
  return withDeadline(attempts, driver, deadline).pipe(
    tap((connection) => {
      if (onRetry !== undefined) reportRetriesOf(connection, onRetry);
    }),
    share((connections) => connections.pipe(takeUntil(connections.pipe(mergeMap(afterLastCall))))),
  );
}

/** A connection that is there is ended with the error, so that its requests and streams have it. */
function withDeadline(
  connections: Observable<Connection>,
  driver: Driver,
  milliseconds: number | undefined,
): Observable<Connection> {
  if (milliseconds === undefined) return connections;
  return defer(() => {
    const limit = milliseconds / 1_000;
    let connection: Connection | undefined;
    return connections.pipe(
      tap((connected) => {
        connection = connected;
      }),
      failAfter(milliseconds, () => {
        const peer = connection === undefined ? placeOf(driver) : describePeer(connection.peer);
        const what =
          connection === undefined
            ? `No connection to ${peer} within the deadline of ${limit} s.`
            : `What was asked of ${peer} was not over within the deadline of ${limit} s.`;
        const error = new AmandaError('DEADLINE', what, { peer });
        connection?.abort(error);
        return error;
      }),
    );
  });
}

/** What a driver connects to, as a person names it. */
function placeOf({ name, host, port }: Driver): string {
  if (host === undefined) return `the target (${name})`;
  return port === undefined ? `${host} (${name})` : `${host} port ${port} (${name})`;
}

/**
 * Whether the failure may pass. A connection that came about and broke is for the caller to judge.
 */
function isWorthAnotherTry(error: AmandaError): boolean {
  return isAmandaError(error, 'CONNECT_TIMEOUT') || isAmandaError(error, 'CONNECT_FAILED');
}

function tooSlow(driver: Driver, milliseconds: number): AmandaError {
  const advice =
    driver.name === 'ssl'
      ? 'is the host up, does a firewall let the port through, and is it that of an amandad with auth ssl?'
      : 'is the host up, and does a firewall let the port through?';
  return new AmandaError(
    'CONNECT_TIMEOUT',
    `No connection to ${placeOf(driver)} within ${milliseconds / 1000} s; ${advice}`,
    { peer: placeOf(driver) },
  );
}
