import type { Socket } from 'node:net';
import {
  Observable,
  Subject,
  Subscription,
  catchError,
  defer,
  finalize,
  of,
  throwError,
  type OperatorFunction,
} from 'rxjs';
import type { Connection } from '../../connection/connection.js';
import type { ConnectionOptions } from '../../connection/options.js';
import type { Listener } from '../../drivers/driver.js';
import type { Activation } from '../../transport/activation.js';
import { isAmandaError } from '../../wire/errors.js';
import type { Settings } from '../config/settings.js';
import type { AmandadArguments } from './amandad-arguments.js';

/** Takes the events of a listener. */
export interface ListenerEvents {
  /**
   * Called before the first connection, with the listening address if there is one. Gives up the
   * rights of root and returns the configuration, which is read after that. An error that it throws
   * is the listener's.
   */
  readonly onReady: (place: string | undefined) => Settings;
  readonly onWarning: (message: string) => void;
}

/** Listeners of a TCP driver, by the way in which connections arrive. */
export interface TcpListeners {
  /** Standard input and output are the connection. */
  readonly onStdio: (settings: Settings) => Listener;
  /** The connections of sockets. `isOwn`: this program listens itself. */
  readonly onSockets: (settings: Settings, isOwn: boolean) => Acceptor<Socket>;
}

/** Makes connections of what a bound socket brings. */
export type Acceptor<T> = (options: ConnectionOptions) => OperatorFunction<T, Connection>;

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
export function openStdio(
  make: (settings: Settings) => Listener,
  activation: Activation,
  { onReady }: ListenerEvents,
): Observable<Listener> {
  return defer(() => {
    const listener = make(onReady(undefined));
    if (activation.kind !== 'unusable') return of<Listener>(listener);
    // Why the socket that was passed is unusable says more than that standard input is none.
    const why = (error: unknown): unknown =>
      isAmandaError(error, 'BAD_ARGUMENT') ? activation.error : error;
    return of<Listener>({
      ...listener,
      accept: (options) =>
        listener.accept(options).pipe(catchError((error: unknown) => throwError(() => why(error)))),
    });
  });
}

/**
 * Emits the listener in the moment in which `bind` calls `ready`, and then completes.
 *
 * The receiver has to subscribe to the listener's connections at once: what the socket brings
 * before is lost. Unsubscribing from them unsubscribes from `bind`.
 */
export function openBound<T>(
  name: string,
  bind: (ready: (place: string | undefined) => void) => Observable<T>,
  { onReady }: ListenerEvents,
  acceptor: (settings: Settings) => Acceptor<T>,
): Observable<Listener> {
  return new Observable((out) => {
    const arrivals = new Subject<T>();
    const bound = new Subscription();
    let isHandedOver = false;
    const ready = (place: string | undefined): void => {
      try {
        const toConnections = acceptor(onReady(place));
        isHandedOver = true;
        out.next({
          name,
          accept: (options) =>
            arrivals.pipe(
              toConnections(options),
              finalize(() => {
                bound.unsubscribe();
              }),
            ),
        });
        out.complete();
      } catch (error) {
        out.error(error);
      }
    };
    out.add(() => {
      if (!isHandedOver) bound.unsubscribe();
    });
    bound.add(
      bind(ready).subscribe({
        next: (arrival) => {
          arrivals.next(arrival);
        },
        error: (error: unknown) => {
          if (isHandedOver) arrivals.error(error);
          else out.error(error);
        },
        complete: () => {
          arrivals.complete();
        },
      }),
    );
  });
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
