import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { Observable } from 'rxjs';

/** The address that packets to a target leave from; undefined without a route. Sends nothing. */
export function sourceAddress(target: string, port: number): Observable<string | undefined> {
  return new Observable((out) => {
    const socket = createSocket(isIPv6(target) ? 'udp6' : 'udp4');
    const end = (address?: string): void => {
      out.next(address);
      out.complete();
    };
    socket.once('error', () => end());
    socket.connect(port, target, () => end(socket.address().address));
    return () => {
      socket.close();
    };
  });
}
