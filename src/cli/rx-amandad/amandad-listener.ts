import { map, type Observable } from 'rxjs';
import type { Listener } from '../../drivers/driver.js';
import { listenStdio } from '../../drivers/stdio.js';
import type { Activation } from '../../transport/activation.js';
import { UsageError } from '../terminal/arguments.js';
import type { AmandadArguments } from './amandad-arguments.js';
import { isOnStdio, maxConnectionsOf, openStdio, type ListenerEvents } from './listener-parts.js';

/**
 * Loads the listener that the arguments name. Subscribing binds; the listener is emitted when that
 * is done, and its connections have to be subscribed to at once. Under inetd this program starts
 * for each connection, mostly of bsdtcp, so all that listens elsewhere loads on demand.
 */
export async function openListener(
  args: AmandadArguments,
  activation: Activation,
  events: ListenerEvents,
): Promise<Observable<Listener>> {
  if (activation.kind === 'socket' && args.tcpPort !== undefined) {
    throw new UsageError(
      '-tcp=PORT and a socket of systemd (LISTEN_FDS) do not go together; leave -tcp out.',
    );
  }
  const opening = await load(args, activation, events);
  return opening.pipe(map((listener) => ({ ...listener, maxConnections: maxConnectionsOf(args) })));
}

async function load(
  args: AmandadArguments,
  activation: Activation,
  events: ListenerEvents,
): Promise<Observable<Listener>> {
  const { auth } = args;
  if (auth === 'bsdudp' || auth === 'bsd') {
    const { openUdp } = await import('./amandad-udp.js');
    return openUdp(args, auth, events);
  }
  if (auth !== 'ssl' && isOnStdio(args, activation))
    return openStdio(() => listenStdio({ auth }), activation, events);
  const { openTcp } = await import('./amandad-tcp.js');
  return openTcp(args, activation, events);
}
