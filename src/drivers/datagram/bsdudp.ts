import type { Socket } from 'node:dgram';
import { BehaviorSubject, combineLatest, map, of, switchMap, type Observable } from 'rxjs';
import type { FrameObserver } from '../../connection/connection.js';
import type { ConnectionOptions } from '../../connection/options.js';
import type { Flow } from '../../connection/receive-budget.js';
import { TcpmConnection } from '../../connection/tcpm-connection.js';
import type { Channel, Peer } from '../../transport/channel.js';
import { socketChannel, type ConnectedSocket } from '../../transport/socket.js';
import type { Role } from '../../wire/role.js';
import type { Driver, Listener } from '../driver.js';
import { datagramDriver, type DatagramDriverOptions } from './datagram-driver.js';
import { datagramListener, type DatagramListenerOptions } from './datagram-listener.js';
import type { StreamConnection, StreamFraming, StreamFramingFactory } from './tcp-streams.js';

/** Options of {@link bsdudp}. */
export type BsdudpOptions = DatagramDriverOptions;
/** Options of {@link listenBsdudp}. */
export type ListenBsdudpOptions = DatagramListenerOptions;

/**
 * Packets in UDP, the streams of a reply in one TCP connection: for hosts whose Amanda has no newer
 * driver.
 *
 * New installations should use bsdtcp, ssl or ssh. Here requests and replies can be forged by
 * anyone who can forge a sender's address, and are limited to 65,503 bytes. A lost datagram costs
 * 10 s.
 *
 * Errors with `CONNECT_FAILED` and `NO_RESERVED_PORT`. Errors with `DATAGRAM_TOO_LARGE` for a
 * request that is too long, and with `BAD_REPLY` for a number in a reply that is no port. Source:
 * PROTOCOL.md, "Datagrams" and "Drivers".
 */
export function bsdudp(options: BsdudpOptions): Driver {
  return datagramDriver('bsdudp', options, framedStreams);
}

/**
 * Accepts initiators over UDP, any number of them at once. For old hosts only: new installations
 * should use bsdtcp, ssl or ssh.
 *
 * Errors with `CONNECT_FAILED` when it cannot listen on the address, and with `BAD_ARGUMENT` when
 * no UDP socket was inherited. Source: PROTOCOL.md, "Drivers".
 */
export function listenBsdudp(options: ListenBsdudpOptions = {}): Listener {
  return datagramListener('bsdudp', options, framedStreams);
}

/** The same over a socket that is bound already, or will be. */
export function acceptBsdudp(sockets: Observable<Socket>, options: ListenBsdudpOptions): Listener {
  return datagramListener('bsdudp', options, framedStreams, sockets);
}

const framedStreams: StreamFramingFactory = (options) => new FramedStreams(options);

/** The streams of a reply share a TCP connection, with frames. Each one has a receive budget. */
class FramedStreams implements StreamFraming {
  readonly isShared = true;
  readonly flow: Observable<Flow>;
  readonly #options: Required<ConnectionOptions>;
  readonly #connections = new BehaviorSubject<readonly TcpmConnection[]>([]);

  constructor(options: Required<ConnectionOptions>) {
    const { receiveBudget: limit } = options;
    const idle: Flow = { held: 0, limit, paused: false, holders: [], stall: undefined };
    this.#options = options;
    this.flow = this.#connections.pipe(
      map((connections) => connections.map(({ flow }) => flow)),
      switchMap((flows) => (flows.length === 0 ? of(idle) : combineLatest(flows).pipe(map(sum)))),
    );
  }

  channelOver({ socket, reader }: ConnectedSocket, { driver, host }: Peer): Channel {
    return socketChannel(socket, { driver, ...(host === undefined ? {} : { host }) }, reader);
  }

  connect(channel: Channel, _: number, side: Role, observer: FrameObserver): StreamConnection {
    const connection = new TcpmConnection(
      channel,
      side === 'target' ? { side, namesUser: false } : { side, user: undefined },
      this.#options,
    );
    connection.observe(observer);
    this.#connections.next([...this.#connections.value, connection]);
    const forget = (): void => {
      this.#connections.next(this.#connections.value.filter((one) => one !== connection));
    };
    connection.ended.subscribe({ error: forget, complete: forget });
    return connection;
  }

  end(): void {
    this.#connections.complete();
  }
}

function sum(flows: readonly Flow[]): Flow {
  return {
    held: flows.reduce((all, { held }) => all + held, 0),
    limit: flows.reduce((all, { limit }) => all + limit, 0),
    paused: flows.some(({ paused }) => paused),
    holders: flows.flatMap(({ holders }) => holders).sort((a, b) => b.held - a.held),
    stall: flows.find(({ stall }) => stall !== undefined)?.stall,
  };
}
