import type { Socket } from 'node:dgram';
import { tap, type Observable } from 'rxjs';
import { acceptBsd } from '../../drivers/datagram/bsd.js';
import { acceptBsdudp } from '../../drivers/datagram/bsdudp.js';
import type { Listener } from '../../drivers/driver.js';
import { inheritUdp, listenUdp } from '../../transport/datagram-socket.js';
import type { AmandadArguments } from './amandad-arguments.js';
import { addressOf, openBound, type ListenerEvents } from './listener-parts.js';

/** The listener of `-auth=bsdudp` and `-auth=bsd`. */
export function openUdp(
  args: AmandadArguments,
  auth: 'bsdudp' | 'bsd',
  events: ListenerEvents,
): Observable<Listener> {
  const { udpPort, noExit } = args;
  const place = addressOf(args);
  const accept = auth === 'bsd' ? acceptBsd : acceptBsdudp;
  const bind = (ready: (place: string) => void): Observable<Socket> =>
    (udpPort === undefined ? inheritUdp() : listenUdp(udpPort, args.listen)).pipe(
      tap((socket) => {
        ready(place.describe(socket.address().port, '/udp'));
      }),
    );
  return openBound(
    auth,
    bind,
    events,
    ({ 'unreserved-tcp-port': ports }) =>
      (options) =>
      (sockets) =>
        accept(sockets, {
          port: udpPort ?? 'inherited',
          untilIdle: !noExit,
          ...place.options,
          ...(ports && { streamPorts: ports.value }),
        }).accept(options),
  );
}
