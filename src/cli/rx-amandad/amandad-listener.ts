import { defer, from, map, mergeMap, take } from 'rxjs';
import { inheritedSockets, type Activation } from '../../transport/activation.js';
import { acceptBsdtcp, listenBsdtcp } from '../../drivers/bsdtcp.js';
import type { Listener } from '../../drivers/driver.js';
import { listenStdio } from '../../drivers/stdio.js';
import { untilUnused } from '../../transport/until-unused.js';
import type { AmandadArguments } from './amandad-arguments.js';
import {
  afterReady,
  withReason,
  maxConnectionsOf,
  addressOf,
  reportingReady,
  type ListenerEvents,
  type TcpListeners,
} from './amandad-listening.js';
import { UsageError } from '../terminal/arguments.js';
import type { Settings } from '../config/settings.js';

/**
 * Milliseconds without a connection after which the socket goes back to inetd. A server takes less
 * between two dumps of a host.
 */
const LINGER = 300_000;

/**
 * Listens where the arguments say. Drivers other than bsdtcp load on demand, because inetd starts
 * this program for each connection.
 */
export function listenerOf(
  args: AmandadArguments,
  settings: Settings,
  activation: Activation,
  events: ListenerEvents,
): Listener {
  const { auth, tcpPort } = args;
  const maxConnections = maxConnectionsOf(args);
  if (activation.kind === 'socket' && tcpPort !== undefined) {
    throw new UsageError(
      '-tcp=PORT and a socket of systemd (LISTEN_FDS) do not go together; leave -tcp out.',
    );
  }
  return {
    name: auth,
    maxConnections,
    accept: (options) =>
      defer(() => from(load(args, settings, activation, events))).pipe(
        mergeMap((listener) => listener.accept(options)),
      ),
  };
}

async function load(
  args: AmandadArguments,
  settings: Settings,
  activation: Activation,
  events: ListenerEvents,
): Promise<Listener> {
  const { auth } = args;
  switch (auth) {
    case 'bsdudp':
    case 'bsd': {
      const { udpListener } = await import('./amandad-udp.js');
      return udpListener(args, settings, auth, events);
    }
    case 'ssl': {
      const { sslListeners } = await import('./amandad-ssl.js');
      return tcpListener(args, activation, events, sslListeners(args, settings, events));
    }
    case 'bsdtcp': {
      return tcpListener(args, activation, events, bsdtcpListeners());
    }
    default:
      return reportingReady(auth, events, (ready) => afterReady(ready, listenStdio({ auth })));
  }
}

function bsdtcpListeners(): TcpListeners {
  return {
    onPort: listenBsdtcp,
    onStdio: () => listenStdio({ auth: 'bsdtcp' }),
    onSockets: (options) => map((socket) => acceptBsdtcp(socket, options)),
  };
}

function tcpListener(
  args: AmandadArguments,
  activation: Activation,
  events: ListenerEvents,
  listeners: TcpListeners,
): Listener {
  const { auth, tcpPort, noExit, linger = LINGER } = args;
  const { options: limits, describe } = addressOf(args);
  if (activation.kind === 'socket') {
    return reportingReady(auth, events, (ready) => {
      const onReady = (port: number | undefined): void => {
        ready(port === undefined ? undefined : describe(port));
      };
      const all = inheritedSockets(activation.descriptor, { ...limits, onReady });
      // A later connection finds inetd at the socket again.
      const sockets = activation.by === 'inetd' && !noExit ? all.pipe(untilUnused(linger)) : all;
      return { name: auth, accept: (options) => sockets.pipe(listeners.onSockets(options)) };
    });
  }
  if (tcpPort === undefined) {
    const inherited = listeners.onStdio();
    return reportingReady(auth, events, (ready) =>
      afterReady(
        ready,
        activation.kind === 'unusable' ? withReason(inherited, activation.error) : inherited,
      ),
    );
  }
  const listener = reportingReady(auth, events, (ready) => {
    const onListening = (bound: number): void => {
      ready(describe(bound));
    };
    return listeners.onPort({ port: tcpPort, onListening, ...limits });
  });
  return noExit
    ? listener
    : { ...listener, accept: (options) => listener.accept(options).pipe(take(1)) };
}
