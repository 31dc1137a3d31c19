import type { Socket } from 'node:net';
import { Observable, catchError, map, mergeMap, of, throwError, type OperatorFunction } from 'rxjs';
import type { Connection } from '../../connection/connection.js';
import type { ConnectionOptions } from '../../connection/options.js';
import type { Listener } from '../../drivers/driver.js';
import { isAmandaError, type AmandaError } from '../../wire/errors.js';
import type { AmandadArguments } from './amandad-arguments.js';

/** What becomes of a listener's news. */
export interface ListenerEvents {
  /** Called before the first connection is taken, with the place that is listened on, if any. What it throws is the listener's error. */
  readonly onReady: (place: string | undefined) => void;
  readonly onWarning: (message: string) => void;
}

/** Told that everything is ready, and on which place, if any, is listened. */
export type Ready = (place: string | undefined) => void;

/** The ways in which the connections of a TCP driver come to an amandad. */
export interface TcpWays {
  /** It listens on a port itself. */
  readonly onPort: (options: PortOptions) => Listener;
  /** Whoever started it has connected its standard input and output. */
  readonly onStdio: () => Listener;
  /** They are accepted elsewhere. */
  readonly onSockets: (options: ConnectionOptions) => OperatorFunction<Socket, Connection>;
}

export interface PortOptions {
  readonly port: number;
  readonly host?: string;
  readonly maxConnections: number;
  readonly onListening: (port: number) => void;
}

/** Connections at once, at most. */
export function mostConnections({ limits }: AmandadArguments): number {
  return limits.maxConnections ?? 1_024;
}

/** Makes a failure of what is to be done when it listens the failure of the listener itself. */
export function readied(
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

/** For a connection that is there already. */
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

/** Who looks for its connection on standard input in vain is told why it was not taken from where it is. */
export function explained(listener: Listener, reason: AmandaError): Listener {
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

/** Where to listen, and how to call the place. */
export function placeOf(given: AmandadArguments): {
  readonly options: { readonly host?: string; readonly maxConnections: number };
  readonly describe: (port: number, more?: string) => string;
} {
  const { listen } = given;
  return {
    options: {
      ...(listen === undefined ? {} : { host: listen }),
      maxConnections: mostConnections(given),
    },
    describe: (port, more = '') => `${listen ?? 'all addresses'} port ${port}${more}`,
  };
}
