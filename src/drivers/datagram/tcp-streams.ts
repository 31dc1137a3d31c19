import { concatMap, defer, map, merge, mergeMap, of, range, toArray, type Observable } from 'rxjs';
import { tooManyHandles } from '../../connection/connection-errors.js';
import type { FrameObserver } from '../../connection/connection.js';
import type { DatagramStreams, StreamsOwner } from '../../connection/datagram-connection.js';
import { withDefaults, type ConnectionOptions } from '../../connection/options.js';
import type { Flow } from '../../connection/receive-budget.js';
import type { Ends, Stream } from '../../connection/stream.js';
import { describePeer, type Channel, type Peer } from '../../transport/channel.js';
import { PendingChannel } from '../../transport/pending-channel.js';
import { MAX_PORT } from '../../transport/address.js';
import type { ConnectedSocket } from '../../transport/socket.js';
import { AmandaError } from '../../wire/errors.js';
import { FIRST_STREAM_HANDLE } from '../../wire/frame-header.js';
import type { Role } from '../../wire/role.js';
import {
  dial,
  listenForStream,
  type StreamListener,
  type StreamListenerOptions,
} from './stream-listener.js';

/** A TCP connection that carries one stream or several. */
export interface StreamConnection {
  /** Completes when the connection has ended in good order, errors with what broke it. */
  readonly ended: Observable<never>;
  stream(number: number): Stream;
  /** Ends the connection after what has been sent. */
  close(): void;
  abort(reason: Error): void;
}

/** How streams travel on TCP connections: the one difference between bsd and bsdudp. */
export interface StreamFraming {
  /** Whether the streams of a reply share a TCP connection. */
  readonly isShared: boolean;
  /** Of all connections together. */
  readonly flow: Observable<Flow>;
  channelOver(socket: ConnectedSocket, peer: Peer): Channel;
  /** Carries streams over a channel, the first of which has the number given. */
  connect(channel: Channel, first: number, role: Role, observer: FrameObserver): StreamConnection;
  /** All connections have ended. */
  end(): void;
}

export type StreamFramingFactory = (options: Required<ConnectionOptions>) => StreamFraming;

/** A TCP connection and its streams. */
interface Group {
  readonly role: Role;
  readonly connection: StreamConnection;
  /** Those of which a direction is open. */
  readonly streams: Map<number, Stream>;
  /** A stream that was open when the connection ended. */
  lost?: number;
  /** Whether the peer has yet to close a stream whose reader has left. */
  isAwaited: boolean;
}

/**
 * The streams beside datagrams, on TCP connections. The first stream of a connection has the TCP
 * port for its number. On an initiator a port begins a new connection; with a shared one, any other
 * number is on the latest. Source: PROTOCOL.md, "Drivers".
 */
export class TcpStreams implements DatagramStreams {
  readonly flow: Observable<Flow>;
  readonly #peer: Peer;
  readonly #owner: StreamsOwner;
  readonly #ports: StreamListenerOptions;
  readonly #framing: StreamFraming;
  readonly #maxHandles: number;
  readonly #groups = new Set<Group>();
  /** The listeners of announced streams, until the initiator has taken them. */
  readonly #listeners = new Map<number, StreamListener>();
  #nextNumber = FIRST_STREAM_HANDLE;
  #over: AmandaError | undefined;

  /** An initiator takes `ports` for its source ports, and does not listen. */
  constructor(
    peer: Peer,
    owner: StreamsOwner,
    ports: StreamListenerOptions,
    framing: StreamFramingFactory,
    options: ConnectionOptions,
  ) {
    const all = withDefaults(options);
    this.#peer = peer;
    this.#owner = owner;
    this.#ports = ports;
    this.#framing = framing(all);
    this.#maxHandles = all.maxHandles;
    this.flow = this.#framing.flow;
  }

  get isOpen(): boolean {
    return this.#streams().length > 0;
  }

  stream(number: number): Stream {
    const known = this.#streams().find(({ handle }) => handle === number);
    if (known !== undefined) return known;
    this.#requireRoom(1, number);
    const latest = [...this.#groups].at(-1);
    if (this.#framing.isShared && number > MAX_PORT && latest !== undefined)
      return this.#join(latest, number);
    checkStreamPort(number);
    const opening = dial(this.#peer, number, this.#ports.ports);
    return this.#join(this.#connect('initiator', number, opening), number);
  }

  announce(count: number): Observable<readonly Stream[]> {
    if (count === 0) return of([]);
    const [connections, each] = this.#framing.isShared ? [1, count] : [count, 1];
    return defer(() => {
      this.#requireRoom(count);
      return range(0, connections);
    }).pipe(
      concatMap(() => listenForStream(this.#peer, this.#ports)),
      mergeMap((listener) => this.#announceAt(listener, each)),
      toArray(),
    );
  }

  taken(numbers: readonly number[]): Observable<never> {
    return merge(...numbers.flatMap((number) => this.#listeners.get(number)?.taken ?? []));
  }

  end(reason: AmandaError): void {
    this.#over = reason;
    for (const listener of this.#listeners.values()) listener.close();
    this.#listeners.clear();
    for (const { connection, streams } of this.#groups) {
      if (streams.size > 0) connection.abort(reason);
      else connection.close();
    }
    this.#groups.clear();
    this.#framing.end();
  }

  #announceAt(listener: StreamListener, count: number): readonly Stream[] {
    const { port, arrival, taken } = listener;
    const group = this.#connect('target', port, arrival);
    const streams = Array.from({ length: count }, (_, index) =>
      this.#join(group, index === 0 ? port : this.#freshNumber()),
    );
    for (const { handle } of streams) this.#listeners.set(handle, listener);
    taken.subscribe({
      error: (error: unknown) => {
        this.#owner.broken(error as Error);
      },
      complete: () => {
        for (const { handle } of streams) this.#listeners.delete(handle);
      },
    });
    return streams;
  }

  #freshNumber(): number {
    const number = this.#nextNumber;
    this.#nextNumber = number > MAX_PORT + 1 ? number - 1 : FIRST_STREAM_HANDLE;
    return number;
  }

  #connect(role: Role, first: number, opening: Observable<ConnectedSocket>): Group {
    const channel = new PendingChannel(
      this.#peer,
      opening.pipe(map((socket) => this.#framing.channelOver(socket, this.#peer))),
    );
    const connection = this.#framing.connect(channel, first, role, this.#owner.observer);
    const group: Group = { role, connection, streams: new Map(), isAwaited: false };
    if (this.#over === undefined) this.#groups.add(group);
    connection.ended.subscribe({
      error: (error: unknown) => {
        this.#ended(group, error);
      },
      complete: () => {
        this.#ended(group, undefined);
      },
    });
    if (this.#over !== undefined) connection.abort(this.#over);
    return group;
  }

  #join(group: Group, number: number): Stream {
    const stream = group.connection.stream(number);
    let last: Ends | undefined;
    group.streams.set(number, stream);
    stream.ends.subscribe({
      next: (ends) => (last = ends),
      complete: () => {
        this.#leave(group, number, last);
      },
    });
    return stream;
  }

  /**
   * A stream has ended. The initiator closes a shared connection after the last one; the target may
   * have bytes on their way, and waits for that.
   */
  #leave(group: Group, number: number, ends: Ends | undefined): void {
    group.streams.delete(number);
    if (ends?.receiving === 'lost' || ends?.sending === 'lost') group.lost = number;
    if (ends?.receiving === 'dropped') group.isAwaited = true;
    const isDone = group.streams.size === 0 && !group.isAwaited && group.lost === undefined;
    if (isDone && group.role === 'initiator') group.connection.close();
  }

  /** The TCP connection has ended; that breaks everything if a stream was open. */
  #ended(group: Group, error: unknown): void {
    if (this.#over !== undefined) return;
    this.#groups.delete(group);
    // A connection of one stream cannot break after the peer has closed that stream.
    const isBroken = !this.#framing.isShared && error !== undefined;
    if (group.lost === undefined && !isBroken) return;
    const peer = describePeer(this.#peer);
    const ended = `${peer} ended the TCP connection of the streams with stream ${group.lost} open.`;
    this.#owner.broken(
      error instanceof Error
        ? error
        : new AmandaError('CONNECTION_LOST', ended, { cause: error, peer, handle: group.lost }),
    );
  }

  #streams(): readonly Stream[] {
    return [...this.#groups].flatMap(({ streams }) => [...streams.values()]);
  }

  /** A connection that has only ended streams counts as one. */
  #requireRoom(count: number, number?: number): void {
    let open = 0;
    for (const { streams } of this.#groups) open += Math.max(1, streams.size);
    if (open + count > this.#maxHandles) throw tooManyHandles(open, this.#maxHandles, number);
  }
}

/** Errors with `BAD_REPLY` for a number that is no TCP port. */
function checkStreamPort(number: number): void {
  if (Number.isInteger(number) && number >= 1 && number <= MAX_PORT) return;
  throw new AmandaError(
    'BAD_REPLY',
    `The reply announces a stream ${number}, and over this driver that is a TCP port, 1 to ${MAX_PORT}.`,
    { handle: number },
  );
}
