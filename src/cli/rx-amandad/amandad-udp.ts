import { listenBsd } from '../../drivers/datagram/bsd.js';
import { listenBsdudp } from '../../drivers/datagram/bsdudp.js';
import type { Listener } from '../../drivers/driver.js';
import type { AmandadArguments } from './amandad-arguments.js';
import type { Settings } from '../config/settings.js';
import { placeOf, readied, type ListenerEvents } from './amandad-listening.js';

/** Where the initiators of an amandad with `-auth=bsdudp` or `-auth=bsd` come from. */
export function udpListener(
  given: AmandadArguments,
  settings: Settings,
  auth: 'bsdudp' | 'bsd',
  events: ListenerEvents,
): Listener {
  const { 'unreserved-tcp-port': ports } = settings;
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
      ...(ports && { streamPorts: ports.value }),
    }),
  );
}
