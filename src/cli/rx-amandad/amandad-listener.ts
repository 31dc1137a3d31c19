import type { Listener } from '../../drivers/driver.js';
import { listenStdio } from '../../drivers/stdio.js';
import type { Activation } from '../../transport/activation.js';
import type { Settings } from '../config/settings.js';
import { UsageError } from '../terminal/arguments.js';
import type { AmandadArguments } from './amandad-arguments.js';
import {
  isOnStdio,
  maxConnectionsOf,
  stdioListener,
  type ListenerEvents,
} from './listener-parts.js';

/**
 * Makes the listener that the arguments name. Under inetd this program starts for each connection,
 * mostly of bsdtcp, so all that listens elsewhere loads on demand.
 */
export async function openListener(
  args: AmandadArguments,
  settings: Settings,
  activation: Activation,
  events: ListenerEvents,
): Promise<Listener> {
  if (activation.kind === 'socket' && args.tcpPort !== undefined) {
    throw new UsageError(
      '-tcp=PORT and a socket of systemd (LISTEN_FDS) do not go together; leave -tcp out.',
    );
  }
  const listener = await load(args, settings, activation, events);
  return { ...listener, maxConnections: maxConnectionsOf(args) };
}

async function load(
  args: AmandadArguments,
  settings: Settings,
  activation: Activation,
  events: ListenerEvents,
): Promise<Listener> {
  const { auth } = args;
  if (auth === 'bsdudp' || auth === 'bsd') {
    const { udpListener } = await import('./amandad-udp.js');
    return udpListener(args, settings, auth, events);
  }
  if (auth !== 'ssl' && isOnStdio(args, activation))
    return stdioListener(listenStdio({ auth }), activation, events);
  const { tcpListener } = await import('./amandad-tcp.js');
  return tcpListener(args, settings, activation, events);
}
