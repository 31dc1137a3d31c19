import { Observable, catchError, map, mergeMap, of, take, throwError } from 'rxjs';
import { TcpmConnection } from '../connection/tcpm-connection.js';
import { inheritedSockets, type Activation } from '../drivers/activation.js';
import { listenBsd } from '../drivers/bsd.js';
import { listenBsdtcp } from '../drivers/bsdtcp.js';
import { listenBsdudp } from '../drivers/bsdudp.js';
import type { Listener } from '../drivers/driver.js';
import { socketChannel } from '../drivers/socket.js';
import { acceptAllSsl, listenSsl } from '../drivers/ssl.js';
import { listenSslStdio } from '../drivers/ssl-stdio.js';
import { listenStdio } from '../drivers/stdio.js';
import { isAmandaError, type AmandaError } from '../wire/errors.js';
import type { AmandadArguments } from './amandad-arguments.js';
import { UsageError } from './arguments.js';

/** What becomes of a listener's news. */
export interface ListenerEvents {
  /** Called before the first connection is taken, with the place that is listened on, if any. What it throws is the listener's error. */
  readonly onReady: (place: string | undefined) => void;
  readonly onWarning: (message: string) => void;
}

/** Where the connections of an amandad with these arguments come from. */
export function listenerOf(given: AmandadArguments, activation: Activation, events: ListenerEvents): Listener {
  return { ...chooseListener(given, activation, events), maxConnections: mostConnections(given) };
}

function mostConnections({ limits }: AmandadArguments): number {
  return limits.maxConnections ?? 1_024;
}

function chooseListener(given: AmandadArguments, activation: Activation, events: ListenerEvents): Listener {
  const { auth, tcpPort } = given;
  if (auth === 'bsdudp' || auth === 'bsd') return udpListener(given, auth, events);
  if (auth === 'local' || auth === 'ssh' || auth === 'rsh') return readied(auth, events, (ready) => afterReady(ready, listenStdio({ auth })));
  if (activation.kind === 'socket') {
    if (tcpPort !== undefined) throw new UsageError('-tcp=PORT and a socket of systemd (LISTEN_FDS) do not go together; leave -tcp out.');
    return readied(auth, events, (ready) => activatedListener(given, auth, activation.descriptor, events, ready));
  }
  if (tcpPort !== undefined) return tcpListener(given, auth, tcpPort, events);
  const inherited = auth === 'ssl' ? listenSslStdio(certificatesOf(given, events)) : listenStdio({ auth });
  return readied(auth, events, (ready) => afterReady(ready, activation.kind === 'unusable' ? explained(inherited, activation.error) : inherited));
}

type Ready = (place: string | undefined) => void;

function udpListener(given: AmandadArguments, auth: 'bsdudp' | 'bsd', events: ListenerEvents): Listener {
  const listen = auth === 'bsd' ? listenBsd : listenBsdudp;
  const place = placeOf(given);
  return readied(auth, events, (ready) =>
    listen({
      port: given.udpPort ?? 'inherited',
      untilIdle: !given.noExit,
      onListening: (port) => {
        ready(place.describe(port, '/udp'));
      },
      ...place.options,
    }),
  );
}

function tcpListener(given: AmandadArguments, auth: 'bsdtcp' | 'ssl', port: number, events: ListenerEvents): Listener {
  const place = placeOf(given);
  const listener = readied(auth, events, (ready) => {
    const onListening = (bound: number): void => {
      ready(place.describe(bound));
    };
    const options = { port, onListening, ...place.options };
    return auth === 'ssl' ? listenSsl({ ...options, ...certificatesOf(given, events) }) : listenBsdtcp(options);
  });
  return given.noExit ? listener : { ...listener, accept: (options) => listener.accept(options).pipe(take(1)) };
}

function activatedListener(given: AmandadArguments, auth: 'bsdtcp' | 'ssl', descriptor: number, events: ListenerEvents, ready: Ready): Listener {
  const { options: limits, describe } = placeOf(given);
  const onReady = (port: number | undefined): void => {
    ready(port === undefined ? undefined : describe(port));
  };
  return {
    name: auth,
    accept: (options) =>
      inheritedSockets(descriptor, { ...limits, onReady }).pipe(
        auth === 'ssl'
          ? acceptAllSsl({ ...certificatesOf(given, events), maxConnections: mostConnections(given) }, options)
          : map((socket) => new TcpmConnection(socketChannel(socket, { driver: 'bsdtcp' }), { side: 'target', namesUser: true }, options)),
      ),
  };
}

/** Makes a failure of what is to be done when it listens the failure of the listener itself. */
function readied(name: string, { onReady }: ListenerEvents, make: (ready: Ready) => Listener): Listener {
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

/** Who looks for its connection on standard input in vain is told why it was not taken from where it is. */
function explained(listener: Listener, reason: AmandaError): Listener {
  return {
    ...listener,
    accept: (options) =>
      listener.accept(options).pipe(catchError((error: unknown) => throwError(() => (isAmandaError(error, 'BAD_ARGUMENT') ? reason : error)))),
  };
}

/** For a connection that is there already. */
function afterReady(ready: Ready, listener: Listener): Listener {
  return {
    ...listener,
    accept: (options) =>
      of(undefined).pipe(
        map(ready),
        mergeMap(() => listener.accept(options)),
      ),
  };
}

function placeOf(given: AmandadArguments): {
  readonly options: { readonly host?: string; readonly maxConnections: number };
  readonly describe: (port: number, more?: string) => string;
} {
  const { listen } = given;
  return {
    options: { ...(listen === undefined ? {} : { host: listen }), maxConnections: mostConnections(given) },
    describe: (port, more = '') => `${listen ?? 'all addresses'} port ${port}${more}`,
  };
}

function certificatesOf({ sslDir }: AmandadArguments, { onWarning }: ListenerEvents) {
  return {
    ...(sslDir === undefined ? {} : { sslDir }),
    onWarning: ({ message }: Error) => {
      onWarning(message);
    },
  };
}
