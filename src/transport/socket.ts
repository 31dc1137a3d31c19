import type { Socket } from 'node:net';
import type { Channel, Peer } from './channel.js';
import { keepAlive } from './keep-alive.js';
import type { SocketReader } from './socket-reader.js';
import { StreamChannel } from './stream-channel.js';

export interface SocketChannelOptions {
  /** What the socket was made with, when it was, to take what it reads. */
  readonly reader?: SocketReader;
  /** When what was gathered is sent: see {@link Channel.schedule}. */
  readonly schedule?: Channel['schedule'];
}

/** A channel over a connected TCP socket. */
export function socketChannel(
  socket: Socket,
  peer: Omit<Peer, 'address' | 'port'>,
  { reader, schedule }: SocketChannelOptions = {},
): Channel {
  const letGo = keepAlive(socket);
  socket.setNoDelay(true);
  return new StreamChannel({
    listen: reader === undefined ? undefined : (next) => reader.listen(next),
    memory: reader,
    schedule,
    input: socket,
    output: socket,
    copies: true,
    release: () => {
      letGo();
      socket.destroy();
    },
    peer: withAddress(socket, peer),
  });
}

/** Added by assignment: an object that was spread and then added to has a shape of its own, and all that looks at it is slow. */
function withAddress(
  { remoteAddress, remotePort }: Socket,
  peer: Omit<Peer, 'address' | 'port'>,
): Peer {
  const addressed: { -readonly [K in keyof Peer]: Peer[K] } = Object.assign({}, peer);
  if (remoteAddress !== undefined) addressed.address = remoteAddress;
  if (remotePort !== undefined) addressed.port = remotePort;
  return addressed;
}
