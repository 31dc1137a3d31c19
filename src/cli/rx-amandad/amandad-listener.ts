import { defer, from, mergeMap, take } from 'rxjs';
import { inheritedSockets, type Activation } from '../../transport/activation.js';
import type { Listener } from '../../drivers/driver.js';
import { listenStdio } from '../../drivers/stdio.js';
import { untilUnused } from '../../transport/until-unused.js';
import type { AmandadArguments } from './amandad-arguments.js';
import { bsdtcpWays } from './amandad-bsdtcp.js';
import {
  afterReady,
  explained,
  mostConnections,
  placeOf,
  readied,
  type ListenerEvents,
  type TcpWays,
} from './amandad-listening.js';
import { UsageError } from '../terminal/arguments.js';
import type { Settings } from '../config/settings.js';

/** Milliseconds without a connection after which inetd's socket is left to inetd: longer than a server takes from one dump of a host to the next. */
const LINGER = 300_000;

/**
 * Where the connections of an amandad with these arguments come from. What a driver needs is loaded when it is listened on:
 * under inetd this program is started for each connection, and most of them are of bsdtcp.
 */
export function listenerOf(
  given: AmandadArguments,
  settings: Settings,
  activation: Activation,
  events: ListenerEvents,
): Listener {
  const { auth, tcpPort } = given;
  const maxConnections = mostConnections(given);
  if (activation.kind === 'socket' && tcpPort !== undefined) {
    throw new UsageError(
      '-tcp=PORT and a socket of systemd (LISTEN_FDS) do not go together; leave -tcp out.',
    );
  }
  return {
    name: auth,
    maxConnections,
    accept: (options) =>
      defer(() => from(load(given, settings, activation, events))).pipe(
        mergeMap((listener) => listener.accept(options)),
      ),
  };
}

async function load(
  given: AmandadArguments,
  settings: Settings,
  activation: Activation,
  events: ListenerEvents,
): Promise<Listener> {
  const { auth } = given;
  switch (auth) {
    case 'bsdudp':
    case 'bsd': {
      const { udpListener } = await import('./amandad-udp.js');
      return udpListener(given, settings, auth, events);
    }
    case 'ssl': {
      const { sslWays } = await import('./amandad-ssl.js');
      return tcpListener(given, activation, events, sslWays(given, settings, events));
    }
    case 'bsdtcp': {
      return tcpListener(given, activation, events, bsdtcpWays());
    }
    default:
      return readied(auth, events, (ready) => afterReady(ready, listenStdio({ auth })));
  }
}

function tcpListener(
  given: AmandadArguments,
  activation: Activation,
  events: ListenerEvents,
  ways: TcpWays,
): Listener {
  const { auth, tcpPort, noExit, linger = LINGER } = given;
  const { options: limits, describe } = placeOf(given);
  if (activation.kind === 'socket') {
    return readied(auth, events, (ready) => {
      const onReady = (port: number | undefined): void => {
        ready(port === undefined ? undefined : describe(port));
      };
      const all = inheritedSockets(activation.descriptor, { ...limits, onReady });
      // Whoever comes too late finds inetd at the socket again.
      const sockets = activation.by === 'inetd' && !noExit ? all.pipe(untilUnused(linger)) : all;
      return { name: auth, accept: (options) => sockets.pipe(ways.onSockets(options)) };
    });
  }
  if (tcpPort === undefined) {
    const inherited = ways.onStdio();
    return readied(auth, events, (ready) =>
      afterReady(
        ready,
        activation.kind === 'unusable' ? explained(inherited, activation.error) : inherited,
      ),
    );
  }
  const listener = readied(auth, events, (ready) => {
    const onListening = (bound: number): void => {
      ready(describe(bound));
    };
    return ways.onPort({ port: tcpPort, onListening, ...limits });
  });
  return noExit
    ? listener
    : { ...listener, accept: (options) => listener.accept(options).pipe(take(1)) };
}
