import { map, take } from 'rxjs';
import { acceptBsdtcp, listenBsdtcp } from '../../drivers/bsdtcp.js';
import type { Listener } from '../../drivers/driver.js';
import { listenStdio } from '../../drivers/stdio.js';
import { inheritedSockets, type Activation } from '../../transport/activation.js';
import { untilUnused } from '../../transport/until-unused.js';
import type { Settings } from '../config/settings.js';
import type { AmandadArguments } from './amandad-arguments.js';
import {
  addressOf,
  reportingReady,
  stdioListener,
  type ListenerEvents,
  type TcpListeners,
} from './listener-parts.js';

/**
 * Milliseconds without a connection after which the socket goes back to inetd. A server takes less
 * between two dumps of a host.
 */
const LINGER = 300_000;

const bsdtcpListeners: TcpListeners = {
  onPort: listenBsdtcp,
  onStdio: () => listenStdio({ auth: 'bsdtcp' }),
  onSockets: (options) => map((socket) => acceptBsdtcp(socket, options)),
};

/** The listener of `-auth=bsdtcp` and `-auth=ssl`. */
export async function tcpListener(
  args: AmandadArguments,
  settings: Settings,
  activation: Activation,
  events: ListenerEvents,
): Promise<Listener> {
  const { auth, tcpPort, noExit, linger = LINGER } = args;
  const listeners =
    auth === 'ssl'
      ? (await import('./amandad-ssl.js')).sslListeners(args, settings, events)
      : bsdtcpListeners;
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
  if (tcpPort === undefined) return stdioListener(listeners.onStdio(), activation, events);
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
