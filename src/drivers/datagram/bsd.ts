import { userInfo } from 'node:os';
import { AMANDA_PORT } from '../bsdtcp.js';
import { datagramDriver, type DatagramDriverOptions } from './datagram-driver.js';
import { datagramListener, type DatagramListenerOptions } from './datagram-listener.js';
import { RawStreams } from './datagram-raw.js';
import type { SideFactory } from './datagram-side.js';
import type { Driver, Listener } from '../driver.js';
import { checkPort } from '../../transport/address.js';

export type BsdOptions = DatagramDriverOptions;
export type ListenBsdOptions = DatagramListenerOptions;

const raw: SideFactory = (peer, owner, side, options) => new RawStreams(peer, owner, side, options);

/**
 * Packets in UDP, each stream in a TCP connection of its own: for hosts whose Amanda has nothing newer.
 *
 * New installations should use bsdtcp, ssl or ssh: here what is asked and answered can be forged by whoever can forge a sender's address,
 * a request or reply is limited to 65,503 bytes, a lost datagram costs 10 s, and every stream needs a hole in a firewall. A stream
 * has no mark of its end but FIN, which a target's system also sends for a program that was killed: a dump is vouched for by its own checks.
 * Behind a direction that this side has closed, a reset can pass for the end of the other one.
 *
 * Errors as `bsdudp` does. Source: PROTOCOL.md, "Datagrams" and "Drivers".
 */
export function bsd({
  host,
  port = AMANDA_PORT,
  user = userInfo().username,
  ...rest
}: BsdOptions): Driver {
  checkPort(port);
  return datagramDriver({ name: 'bsd', host, port, user, ...rest }, raw);
}

/**
 * Accepts initiators over UDP, any number of them at once. For old hosts only: new installations should use bsdtcp, ssl or ssh.
 *
 * Errors as `listenBsdudp` does. Source: PROTOCOL.md, "Drivers".
 */
export function listenBsd(options: ListenBsdOptions = {}): Listener {
  if (typeof options.port === 'number' && options.port !== 0) checkPort(options.port);
  return datagramListener('bsd', AMANDA_PORT, options, raw);
}
