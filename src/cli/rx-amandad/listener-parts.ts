import type { Socket } from 'node:net';
import { Observable, catchError, defer, throwError, type OperatorFunction } from 'rxjs';
import type { Connection } from '../../connection/connection.js';
import type { ConnectionOptions } from '../../connection/options.js';
import type { Listener } from '../../drivers/driver.js';
import type { Activation } from '../../transport/activation.js';
import { isAmandaError } from '../../wire/errors.js';
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

/** Whether standard input and output are the connection. */
export function isOnStdio({ auth, tcpPort }: AmandadArguments, activation: Activation): boolean {
  return (
    tcpPort === undefined && auth !== 'bsdudp' && auth !== 'bsd' && activation.kind !== 'socket'
  );
}

/** Reports ready at once, because standard input and output already are a connection. */
export function stdioListener(
  listener: Listener,
  activation: Activation,
  { onReady }: ListenerEvents,
): Listener {
  return {
    ...listener,
    accept: (options) =>
      defer(() => {
        onReady(undefined);
        const connections = listener.accept(options);
        if (activation.kind !== 'unusable') return connections;
        // Why the socket that was passed is unusable says more than that standard input is none.
        return connections.pipe(
          catchError((error: unknown) =>
            throwError(() => (isAmandaError(error, 'BAD_ARGUMENT') ? activation.error : error)),
          ),
        );
      }),
  };
}

/**
 * Reports ready when the listener calls `ready`. A failure of the report is the listener's error.
 */
export function reportingReady(
  name: string,
  { onReady }: ListenerEvents,
  make: (ready: (place: string | undefined) => void) => Listener,
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
