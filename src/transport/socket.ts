import type { Socket } from 'node:net';
import type { Channel, Peer } from './channel.js';
import { keepAlive } from './keep-alive.js';
import type { SocketReader } from './socket-reader.js';
import { StreamChannel } from './stream-channel.js';

/** A connected TCP socket, with the reader that it was made with, if any. */
export interface ConnectedSocket {
  readonly socket: Socket;
  readonly reader?: SocketReader;
}

/** A channel over a connected TCP socket, with the reader that the socket was made with, if any. */
export function socketChannel(
  socket: Socket,
  peer: Omit<Peer, 'address' | 'port'>,
  reader?: SocketReader,
): Channel {
  const letGo = keepAlive(socket);
  socket.setNoDelay(true);
  return new StreamChannel({
    listen: reader === undefined ? undefined : (next) => reader.listen(next),
    input: socket,
    output: socket,
    release: () => {
      letGo();
      socket.destroy();
    },
    peer: withAddress(socket, peer),
  });
}

function withAddress(
  { remoteAddress: address, remotePort: port }: Socket,
  peer: Omit<Peer, 'address' | 'port'>,
): Peer {
  return {
    ...peer,
    ...(address === undefined ? {} : { address }),
    ...(port === undefined ? {} : { port }),
  };
}
