import { userInfo } from 'node:os';
import { AMANDA_PORT } from '../bsdtcp.js';
import { datagramDriver, type DatagramDriverOptions } from './datagram-driver.js';
import { FramedStreams } from './datagram-framed.js';
import { datagramListener, type DatagramListenerOptions } from './datagram-listener.js';
import type { SideFactory } from './datagram-side.js';
import type { Driver, Listener } from '../driver.js';
import { checkPort } from '../../transport/address.js';

export type BsdudpOptions = DatagramDriverOptions;
export type ListenBsdudpOptions = DatagramListenerOptions;

const framed: SideFactory = (peer, owner, side, options) =>
  new FramedStreams(peer, owner, side, options);

/**
 * Packets in UDP, the streams of a reply in one TCP connection: for hosts whose Amanda has nothing newer.
 *
 * New installations should use bsdtcp, ssl or ssh: here what is asked and answered can be forged by whoever can forge a sender's address,
 * a request or reply is limited to 65,503 bytes, and a lost datagram costs 10 s.
 *
 * Errors with `CONNECT_FAILED` and `NO_RESERVED_PORT`; a request that is too long with `DATAGRAM_TOO_LARGE`; a number in
 * a reply that is no port with `BAD_REPLY`. Source: PROTOCOL.md, "Datagrams" and "Drivers".
 */
export function bsdudp({
  host,
  port = AMANDA_PORT,
  user = userInfo().username,
  ...rest
}: BsdudpOptions): Driver {
  checkPort(port);
  return datagramDriver({ name: 'bsdudp', host, port, user, ...rest }, framed);
}

/**
 * Accepts initiators over UDP, any number of them at once. For old hosts only: new installations should use bsdtcp, ssl or ssh.
 *
 * Errors with `CONNECT_FAILED` when the address cannot be listened on, and with `BAD_ARGUMENT` when no UDP socket was inherited.
 * Source: PROTOCOL.md, "Drivers".
 */
export function listenBsdudp(options: ListenBsdudpOptions = {}): Listener {
  if (typeof options.port === 'number' && options.port !== 0) checkPort(options.port);
  return datagramListener('bsdudp', AMANDA_PORT, options, framed);
}
