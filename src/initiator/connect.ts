import {
  TimeoutError,
  catchError,
  connect as share,
  mergeMap,
  retry,
  takeUntil,
  throwError,
  timeout,
  timer,
  type Observable,
} from 'rxjs';
import type { Connection } from '../connection/connection.js';
import type { ConnectionOptions } from '../connection/options.js';
import { afterLastCall } from '../exchange/calls.js';
import { timingWith, type Timing } from '../exchange/timing.js';
import { checkMethods } from '../wire/arguments.js';
import { AmandaError, isAmandaError } from '../wire/errors.js';
import type { Driver } from '../drivers/driver.js';

export interface ConnectOptions
  extends
    ConnectionOptions,
    Partial<Pick<Timing, 'connectTimeout' | 'connectTries' | 'connectWait'>> {}

/**
 * Connects to a target.
 *
 *     connect  ----C-----------|     C: the Connection; completes when it has ended in good order
 *     !            ----------!       unsubscribing ends the connection
 *
 *     connect(bsdtcp({ host: 'db1.example.com' })).pipe(noop());
 *
 * Also completes, and ends the connection, 1 s after its last call is over. {@link onConnection}
 * holds a connection for longer, and ends it without that second.
 *
 * An attempt takes at most 20 s and is made 3 times, 5 s apart. Errors with `CONNECT_TIMEOUT`, or
 * with the last attempt's error (`CONNECT_FAILED`, `NO_RESERVED_PORT`, `COMMAND_FAILED`). Once
 * connected, errors with what broke the connection. Source: PROTOCOL.md, "The exchange: initiator".
 */
export function connect(driver: Driver, options: ConnectOptions = {}): Observable<Connection> {
  checkMethods('The driver of connect', driver, 'open');
  const { connectTimeout, connectTries, connectWait } = timingWith(options);
  return driver.open(options).pipe(
    timeout({ first: connectTimeout }),
    catchError((error: unknown) =>
      throwError(() => (error instanceof TimeoutError ? tooSlow(driver, connectTimeout) : error)),
    ),
    retry({
      count: connectTries - 1,
      delay: (error: unknown) =>
        isWorthAnotherTry(error) ? timer(connectWait) : throwError(() => error),
    }),
    share((connections) => connections.pipe(takeUntil(connections.pipe(mergeMap(afterLastCall))))),
  );
}

/**
 * Whether the failure may pass. A connection that came about and broke is for the caller to judge.
 */
function isWorthAnotherTry(error: unknown): boolean {
  return isAmandaError(error, 'CONNECT_TIMEOUT') || isAmandaError(error, 'CONNECT_FAILED');
}

function tooSlow(driver: Driver, milliseconds: number): AmandaError {
  const advice =
    driver.name === 'ssl'
      ? 'is the host up, does a firewall let the port through, and is it that of an amandad with auth ssl?'
      : 'is the host up, and does a firewall let the port through?';
  return new AmandaError(
    'CONNECT_TIMEOUT',
    `No connection over ${driver.name} within ${milliseconds / 1000} s; ${advice}`,
  );
}
