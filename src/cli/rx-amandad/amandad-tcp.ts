import type { Socket } from 'node:net';
import { map, take, type Observable } from 'rxjs';
import { acceptBsdtcp } from '../../drivers/bsdtcp.js';
import type { Listener } from '../../drivers/driver.js';
import { listenStdio } from '../../drivers/stdio.js';
import { inheritedSockets, type Activation } from '../../transport/activation.js';
import { listenTcp } from '../../transport/tcp-listen.js';
import { untilUnused } from '../../transport/until-unused.js';
import type { AmandadArguments } from './amandad-arguments.js';
import {
  addressOf,
  openBound,
  openStdio,
  type ListenerEvents,
  type TcpListeners,
} from './listener-parts.js';

/**
 * Milliseconds without a connection after which the socket goes back to inetd. A server takes less
 * between two dumps of a host.
 */
const LINGER = 300_000;

const bsdtcpListeners: TcpListeners = {
  onStdio: () => listenStdio({ auth: 'bsdtcp' }),
  onSockets: () => (options) => map((socket) => acceptBsdtcp(socket, options)),
};

/** The listener of `-auth=bsdtcp` and `-auth=ssl`. */
export async function openTcp(
  args: AmandadArguments,
  activation: Activation,
  events: ListenerEvents,
): Promise<Observable<Listener>> {
  const { auth, tcpPort, noExit, linger = LINGER } = args;
  const { onStdio, onSockets } =
    auth === 'ssl'
      ? (await import('./amandad-ssl.js')).sslListeners(args, events)
      : bsdtcpListeners;
  const { options: limits, describe } = addressOf(args);
  if (activation.kind === 'socket') {
    const { descriptor, by } = activation;
    const bind = (ready: (place: string | undefined) => void): Observable<Socket> => {
      const onReady = (port: number | undefined): void => {
        ready(port === undefined ? undefined : describe(port));
      };
      const all = inheritedSockets(descriptor, { ...limits, onReady });
      // A later connection finds inetd at the socket again.
      return by === 'inetd' && !noExit ? all.pipe(untilUnused(linger)) : all;
    };
    return openBound(auth, bind, events, (settings) => onSockets(settings, false));
  }
  if (tcpPort === undefined) return openStdio(onStdio, activation, events);
  const bind = (ready: (place: string) => void): Observable<Socket> =>
    listenTcp(tcpPort, {
      ...limits,
      onListening: (port) => {
        ready(describe(port));
      },
    });
  return openBound(auth, bind, events, (settings) => {
    const acceptor = onSockets(settings, true);
    return noExit ? acceptor : (options) => (sockets) => acceptor(options)(sockets).pipe(take(1));
  });
}
