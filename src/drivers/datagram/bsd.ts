import type { Socket } from 'node:dgram';
import type { Observable } from 'rxjs';
import type { FrameObserver } from '../../connection/connection.js';
import type { ConnectionOptions } from '../../connection/options.js';
import { ReceiveBudget, holdersOf, type Flow } from '../../connection/receive-budget.js';
import type { Channel, Peer } from '../../transport/channel.js';
import { HalfOpenChannel } from '../../transport/half-open-channel.js';
import type { ConnectedSocket } from '../../transport/socket.js';
import type { Role } from '../../wire/role.js';
import type { Driver, Listener } from '../driver.js';
import { datagramDriver, type DatagramDriverOptions } from './datagram-driver.js';
import { datagramListener, type DatagramListenerOptions } from './datagram-listener.js';
import { RawConnection } from './raw-connection.js';
import type { StreamConnection, StreamFraming, StreamFramingFactory } from './tcp-streams.js';

/** Options of {@link bsd}. */
export type BsdOptions = DatagramDriverOptions;
/** Options of {@link listenBsd}. */
export type ListenBsdOptions = DatagramListenerOptions;

/**
 * Packets in UDP, each stream in a TCP connection of its own: for hosts whose Amanda has no newer
 * driver.
 *
 * New installations should use bsdtcp, ssl or ssh. Here requests and replies can be forged by
 * anyone who can forge a sender's address, and are limited to 65,503 bytes. A lost datagram costs
 * 10 s, and every stream needs a hole in a firewall.
 *
 * A stream ends with a FIN, which a target's system also sends for a program that was killed. Only
 * a dump's own checks show that it is whole. After this side has closed its direction of a stream,
 * a reset can pass for the end of the other one.
 *
 * Errors as `bsdudp` does. Source: PROTOCOL.md, "Datagrams" and "Drivers".
 */
export function bsd(options: BsdOptions): Driver {
  return datagramDriver('bsd', options, rawStreams);
}

/**
 * Accepts initiators over UDP, any number of them at once. For old hosts only: new installations
 * should use bsdtcp, ssl or ssh.
 *
 * Errors as `listenBsdudp` does. Source: PROTOCOL.md, "Drivers".
 */
export function listenBsd(options: ListenBsdOptions = {}): Listener {
  return datagramListener('bsd', options, rawStreams);
}

/** The same over a socket that is bound already, or will be. */
export function acceptBsd(sockets: Observable<Socket>, options: ListenBsdOptions): Listener {
  return datagramListener('bsd', options, rawStreams, sockets);
}

const rawStreams: StreamFramingFactory = (options) => new RawStreams(options);

/** Each stream has a TCP connection of its own. One receive budget is for all of them. */
class RawStreams implements StreamFraming {
  readonly isShared = false;
  readonly flow: Observable<Flow>;
  readonly #options: Required<ConnectionOptions>;
  readonly #budget: ReceiveBudget;
  readonly #connections = new Set<RawConnection>();

  constructor(options: Required<ConnectionOptions>) {
    this.#options = options;
    this.#budget = new ReceiveBudget(options.receiveBudget, options.stallAfter, {
      changed: () => {
        for (const connection of [...this.#connections]) connection.pauseOrResume();
      },
      holders: () => holdersOf(this.#connections),
      // No stream waits for another one.
      waiting: () => [],
      stalled: () => undefined,
    });
    this.flow = this.#budget.flow;
  }

  channelOver(socket: ConnectedSocket, peer: Peer): Channel {
    return new HalfOpenChannel(socket, peer);
  }

  connect(channel: Channel, port: number, _: Role, observer: FrameObserver): StreamConnection {
    const connection = new RawConnection(channel, port, this.#budget, this.#options, observer);
    this.#connections.add(connection);
    const forget = (): void => {
      this.#connections.delete(connection);
    };
    connection.ended.subscribe({ error: forget, complete: forget });
    return connection;
  }

  end(): void {
    this.#budget.end();
  }
}
