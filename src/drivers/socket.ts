import type { Socket } from 'node:net';
import type { Channel, Peer } from '../connection/channel.js';
import { HEADROOM_BYTES, type SocketReader } from './socket-reader.js';
import { StreamChannel } from './stream-channel.js';

/** Idle time before TCP probes whether the peer is still there, in milliseconds. */
export const KEEP_ALIVE = 60_000;

/** A channel over a connected TCP socket, and over its reader when it was made with one. */
export function socketChannel(socket: Socket, peer: Omit<Peer, 'address' | 'port'>, reader?: SocketReader): Channel {
  socket.setKeepAlive(true, KEEP_ALIVE);
  socket.setNoDelay(true);
  const { remoteAddress: address, remotePort: port } = socket;
  return new StreamChannel({
    ...(reader === undefined ? {} : { listen: (next) => reader.listen(next), headroom: HEADROOM_BYTES }),
    input: socket,
    output: socket,
    copies: true,
    peer: { ...peer, ...(address === undefined ? {} : { address }), ...(port === undefined ? {} : { port }) },
  });
}
