import type { RemoteInfo, Socket } from 'node:dgram';
import { Observable, Subject, Subscription, timer, type Subscriber } from 'rxjs';
import type { Connection } from '../../connection/connection.js';
import { DatagramConnection } from '../../connection/datagram-connection.js';
import type { ConnectionOptions } from '../../connection/options.js';
import type { Peer } from '../../transport/channel.js';
import { inheritUdp, listenUdp } from '../../transport/datagram-socket.js';
import { checkPort } from '../../transport/address.js';
import { DEFAULT_MAX_CONNECTIONS } from '../../transport/tcp-listen.js';
import { checkOptions } from '../../wire/arguments.js';
import { MAX_DATAGRAM, encodeDatagram, type Datagram } from '../../wire/datagram.js';
import { packet } from '../../wire/packet.js';
import { AMANDA_PORT } from '../../wire/role.js';
import type { Listener } from '../driver.js';
import { readDatagram } from './datagram-driver.js';
import type { PortRange } from './stream-listener.js';
import { TcpStreams, type StreamFramingFactory } from './tcp-streams.js';

/** How a target takes requests over UDP. */
export interface DatagramListenerOptions {
  /**
   * 0 … 65535, 0 for any free one, default 10080; UDP. `inherited`: the socket that inetd has left
   * on standard input, in its `wait` style.
   */
  readonly port?: number | 'inherited';
  /** Address to listen on, for packets and for streams; default all of this host. */
  readonly host?: string;
  /** Initiators at once; the requests of more are dropped. Default 1,024. */
  readonly maxConnections?: number;
  /** Range of TCP ports for streams; default any. */
  readonly streamPorts?: PortRange;
  /**
   * Milliseconds from the reply until the initiator must have connected to its streams. Default
   * 80,000: Amanda's 30 s after the 50 s that the acknowledgement may take.
   */
  readonly streamWait?: number;
  /**
   * Whether listening ends with the last connection, so that inetd starts a target anew for the
   * next datagram. Default true for an inherited socket, otherwise false.
   */
  readonly untilIdle?: boolean;
  /**
   * Milliseconds after which an inherited socket without any request is given back, too; default
   * 30,000.
   */
  readonly idleTimeout?: number;
  /** Called with the port when listening has begun. */
  readonly onListening?: (port: number) => void;
}

/**
 * A listener whose packets are datagrams, with streams of the framing beside them. Each peer
 * address and port is one Connection.
 *
 * All share one socket. After the listener is unsubscribed, it is kept for the connections that
 * there are, and new initiators are not heard.
 */
export function datagramListener(
  name: 'bsd' | 'bsdudp',
  options: DatagramListenerOptions,
  framing: StreamFramingFactory,
  sockets?: Observable<Socket>,
): Listener {
  const of = name === 'bsd' ? 'listenBsd' : 'listenBsdudp';
  checkOptions(of, options, { host: 'name?', streamPorts: 'object?', onListening: 'function?' });
  const {
    port = AMANDA_PORT,
    host,
    onListening,
    maxConnections = DEFAULT_MAX_CONNECTIONS,
  } = options;
  if (port !== 'inherited' && port !== 0) checkPort(port);
  return {
    name,
    maxConnections,
    accept: (connectionOptions) =>
      new Observable((out) => {
        const associations = new Associations(name, options, framing, connectionOptions, out);
        const opening = sockets ?? (port === 'inherited' ? inheritUdp() : listenUdp(port, host));
        const socketInUse = opening.subscribe({
          next: (socket) => {
            associations.over(socket);
            onListening?.(socket.address().port);
          },
          error: (error: unknown) => {
            out.error(error);
          },
        });
        return () => {
          associations.stop(socketInUse);
        };
      }),
  };
}

/** The initiators that have asked something lately, each known by its address and port. */
class Associations {
  readonly #name: string;
  readonly #options: DatagramListenerOptions;
  readonly #framing: StreamFramingFactory;
  readonly #connectionOptions: ConnectionOptions;
  readonly #out: Subscriber<Connection>;
  readonly #open = new Map<string, Subject<Datagram>>();
  readonly #waiting = new Subscription();
  readonly #untilIdle: boolean;
  /** Set once no more initiators are taken: what the last connection releases. */
  #socketInUse: Subscription | undefined;

  constructor(
    name: string,
    options: DatagramListenerOptions,
    framing: StreamFramingFactory,
    connectionOptions: ConnectionOptions,
    out: Subscriber<Connection>,
  ) {
    this.#name = name;
    this.#options = options;
    this.#framing = framing;
    this.#connectionOptions = connectionOptions;
    this.#out = out;
    this.#untilIdle = options.untilIdle ?? options.port === 'inherited';
  }

  /** Takes what comes on the socket. */
  over(socket: Socket): void {
    const receive = (bytes: Uint8Array, from: RemoteInfo): void => {
      const datagram = readDatagram(bytes);
      if (datagram !== undefined) this.#receive(socket, datagram, from);
      else if (bytes.length > MAX_DATAGRAM && this.#socketInUse === undefined)
        refuseTooLarge(socket, bytes, from);
    };
    // One datagram that could not be sent or received is lost, which can always happen to one.
    const ignore = (): void => undefined;
    socket.on('message', receive).on('error', ignore);
    if (this.#options.port === 'inherited' && this.#untilIdle) {
      this.#waiting.add(
        timer(this.#options.idleTimeout ?? 30_000).subscribe(() => {
          if (this.#open.size === 0) this.#out.complete();
        }),
      );
    }
  }

  /** Takes no more initiators, and releases the socket when the last connection has ended. */
  stop(socketInUse: Subscription): void {
    this.#socketInUse = socketInUse;
    this.#waiting.unsubscribe();
    if (this.#open.size === 0) socketInUse.unsubscribe();
  }

  #receive(socket: Socket, datagram: Datagram, { address, port }: RemoteInfo): void {
    const key = `${address} ${port}`;
    const known = this.#open.get(key);
    if (known !== undefined) {
      known.next(datagram);
      return;
    }
    // Only a request begins a connection.
    if (
      this.#socketInUse !== undefined ||
      datagram.packet.type !== 'REQ' ||
      this.#open.size >= (this.#options.maxConnections ?? DEFAULT_MAX_CONNECTIONS)
    )
      return;
    const datagrams = new Subject<Datagram>();
    this.#open.set(key, datagrams);
    const connection = this.#connect(socket, { driver: this.#name, address, port }, datagrams);
    const forget = (): void => {
      this.#open.delete(key);
      if (this.#open.size > 0) return;
      this.#socketInUse?.unsubscribe();
      if (this.#untilIdle) this.#out.complete();
    };
    connection.ended.subscribe({ error: forget, complete: forget });
    this.#out.next(connection);
    datagrams.next(datagram);
  }

  #connect(
    socket: Socket,
    peer: Peer & { readonly address: string; readonly port: number },
    datagrams: Observable<Datagram>,
  ): DatagramConnection {
    const { host, streamPorts: ports, streamWait: wait = 80_000 } = this.#options;
    return new DatagramConnection(
      {
        peer,
        datagrams,
        send: (bytes) => {
          if (this.#socketInUse?.closed !== true)
            socket.send(bytes, peer.port, peer.address, () => undefined);
        },
      },
      { side: 'target', namesUser: true },
      (owner) =>
        new TcpStreams(peer, owner, { host, ports, wait }, this.#framing, this.#connectionOptions),
      this.#connectionOptions,
    );
  }
}

/**
 * A request over Amanda's largest datagram has lost its end if it came from Amanda. It is not run,
 * and its sender hears why.
 */
function refuseTooLarge(socket: Socket, bytes: Uint8Array, { address, port }: RemoteInfo): void {
  const begun = readDatagram(bytes.subarray(0, MAX_DATAGRAM));
  if (begun?.packet.type !== 'REQ') return;
  const text = `ERROR a request of ${bytes.length} bytes is over the ${MAX_DATAGRAM} of a datagram. Its end may be missing: use a driver over TCP for this host, such as bsdtcp\n`;
  socket.send(
    encodeDatagram({ handle: begun.handle, sequence: begun.sequence, packet: packet('NAK', text) }),
    port,
    address,
    () => undefined,
  );
}
