import type { Socket } from 'node:net';
import type { Peer } from '../connection/channel.js';
import type { Channel } from '../connection/channel.js';
import { StreamChannel } from './stream-channel.js';

/** Idle time before TCP probes whether the peer is still there, in milliseconds. */
const KEEP_ALIVE = 60_000;

/** A channel over a connected TCP socket. */
export function socketChannel(socket: Socket, peer: Omit<Peer, 'address' | 'port'>): Channel {
  socket.setKeepAlive(true, KEEP_ALIVE);
  socket.setNoDelay(true);
  const { remoteAddress: address, remotePort: port } = socket;
  return new StreamChannel({
    input: socket,
    output: socket,
    peer: { ...peer, ...(address === undefined ? {} : { address }), ...(port === undefined ? {} : { port }) },
  });
}
