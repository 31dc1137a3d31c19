import type { Socket } from 'node:net';
import { Observable, catchError, map, mergeMap, of, throwError, type OperatorFunction } from 'rxjs';
import type { Connection } from '../../connection/connection.js';
import type { ConnectionOptions } from '../../connection/options.js';
import type { Listener } from '../../drivers/driver.js';
import { isAmandaError, type AmandaError } from '../../wire/errors.js';
import type { AmandadArguments } from './amandad-arguments.js';

/** Takes the events of a listener. */
export interface ListenerEvents {
  /**
   * Called before the first connection, with the listening address if there is one. An error that
   * it throws is the listener's.
   */
  readonly onReady: (place: string | undefined) => void;
  readonly onWarning: (message: string) => void;
}

/** Reports that the listener is ready, with its address if there is one. */
export type Ready = (place: string | undefined) => void;

/** Listeners of a TCP driver, by the way in which connections arrive. */
export interface TcpListeners {
  /** Listens on a port itself. */
  readonly onPort: (options: PortOptions) => Listener;
  /** Standard input and output are the connection. */
  readonly onStdio: () => Listener;
  /** The sockets are accepted elsewhere. */
  readonly onSockets: (options: ConnectionOptions) => OperatorFunction<Socket, Connection>;
}

export interface PortOptions {
  readonly port: number;
  readonly host?: string;
  readonly maxConnections: number;
  readonly onListening: (port: number) => void;
}

/** The most concurrent connections. */
export function maxConnectionsOf({ limits }: AmandadArguments): number {
  return limits.maxConnections ?? 1_024;
}

/**
 * Makes a listener that reports when it is ready. A failure of the report is the listener's error.
 */
export function reportingReady(
  name: string,
  { onReady }: ListenerEvents,
  make: (ready: Ready) => Listener,
): Listener {
  return {
    name,
    accept: (options) =>
      new Observable((out) => {
        const listener = make((place) => {
          try {
            onReady(place);
          } catch (error) {
            out.error(error);
          }
        });
        out.add(listener.accept(options).subscribe(out));
      }),
  };
}

/** Reports ready at once, because the connection already exists. */
export function afterReady(ready: Ready, listener: Listener): Listener {
  return {
    ...listener,
    accept: (options) =>
      of(undefined).pipe(
        map(ready),
        mergeMap(() => listener.accept(options)),
      ),
  };
}

/** Replaces "standard input is no connection" by the reason why the passed socket is unusable. */
export function withReason(listener: Listener, reason: AmandaError): Listener {
  return {
    ...listener,
    accept: (options) =>
      listener
        .accept(options)
        .pipe(
          catchError((error: unknown) =>
            throwError(() => (isAmandaError(error, 'BAD_ARGUMENT') ? reason : error)),
          ),
        ),
  };
}

/** The options of the listening address, and its description. */
export function addressOf(args: AmandadArguments): {
  readonly options: { readonly host?: string; readonly maxConnections: number };
  readonly describe: (port: number, more?: string) => string;
} {
  const { listen } = args;
  return {
    options: {
      ...(listen === undefined ? {} : { host: listen }),
      maxConnections: maxConnectionsOf(args),
    },
    describe: (port, more = '') => `${listen ?? 'all addresses'} port ${port}${more}`,
  };
}
