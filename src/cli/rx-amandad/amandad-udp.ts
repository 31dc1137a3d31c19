import { listenBsd } from '../../drivers/datagram/bsd.js';
import { listenBsdudp } from '../../drivers/datagram/bsdudp.js';
import type { Listener } from '../../drivers/driver.js';
import type { AmandadArguments } from './amandad-arguments.js';
import type { Settings } from '../config/settings.js';
import { addressOf, reportingReady, type ListenerEvents } from './listener-parts.js';

/** The listener of `-auth=bsdudp` and `-auth=bsd`. */
export function udpListener(
  args: AmandadArguments,
  settings: Settings,
  auth: 'bsdudp' | 'bsd',
  events: ListenerEvents,
): Listener {
  const { 'unreserved-tcp-port': ports } = settings;
  const listen = auth === 'bsd' ? listenBsd : listenBsdudp;
  const place = addressOf(args);
  return reportingReady(auth, events, (ready) =>
    listen({
      port: args.udpPort ?? 'inherited',
      untilIdle: !args.noExit,
      onListening: (port) => {
        ready(place.describe(port, '/udp'));
      },
      ...place.options,
      ...(ports && { streamPorts: ports.value }),
    }),
  );
}
