import { BehaviorSubject, combineLatest, defer, map, of, switchMap, type Observable } from 'rxjs';
import { describePeer, type Channel, type Peer } from '../../transport/channel.js';
import type { Flow } from '../../connection/receive-budget.js';
import { withDefaults, type ConnectionOptions } from '../../connection/options.js';
import type { SideOwner, SideStreams } from '../../connection/side-streams.js';
import type { Ends, Stream } from '../../connection/stream.js';
import { TcpmConnection } from '../../connection/tcpm-connection.js';
import { AmandaError } from '../../wire/errors.js';
import { FIRST_STREAM_HANDLE } from '../../wire/handles.js';
import { dial, openDoor, type Door, type SideSocket } from './datagram-door.js';
import { PendingChannel } from './datagram-pending.js';
import { checkStreamPort, tooManyStreams, type SideOptions } from './datagram-side.js';
import { socketChannel } from '../../transport/socket.js';

/** The lowest number that is no port. */
const FIRST_NON_PORT = 65_536;

/** The streams of one reply, on their TCP connection. */
interface Group {
  readonly side: 'initiator' | 'target';
  readonly connection: TcpmConnection;
  /** Those of which a direction is open. */
  readonly streams: Map<number, Stream>;
  /** A stream that the connection took with it. */
  lost?: number;
  /** Whether the peer has yet to close a stream that nobody here reads any more. */
  isAwaited: boolean;
}

/**
 * The streams of the driver bsdudp: those of one reply share one TCP connection, with frames. The first has the TCP port
 * for its number, so on an initiator a number that is a port begins a new connection and any other is on the latest.
 *
 * Each of the TCP connections has a receive budget. Source: PROTOCOL.md, "Drivers".
 */
export class FramedStreams implements SideStreams {
  readonly flow: Observable<Flow>;
  readonly #peer: Peer;
  readonly #owner: SideOwner;
  readonly #side: SideOptions;
  readonly #options: ConnectionOptions;
  readonly #limits: Required<ConnectionOptions>;
  readonly #groups = new BehaviorSubject<readonly Group[]>([]);
  #nextNumber = FIRST_STREAM_HANDLE;
  #over: AmandaError | undefined;

  constructor(peer: Peer, owner: SideOwner, side: SideOptions, options: ConnectionOptions) {
    this.#peer = peer;
    this.#owner = owner;
    this.#side = side;
    this.#options = options;
    this.#limits = withDefaults(options);
    this.flow = this.#groups.pipe(switchMap((groups) => this.#flowOf(groups)));
  }

  get isOpen(): boolean {
    return this.#streams().some(({ isOpen }) => isOpen);
  }

  stream(number: number): Stream {
    const known = this.#streams().find(({ handle, isOpen }) => handle === number && isOpen);
    if (known !== undefined) return known;
    const latest = this.#groups.value.at(-1);
    if (number >= FIRST_NON_PORT && latest !== undefined) return this.#join(latest, number);
    checkStreamPort(number);
    const opening = defer(() => dial(this.#peer, number, this.#side.ports));
    const group = this.#connect('initiator', opening);
    return this.#join(group, number);
  }

  announce(count: number): Observable<readonly Stream[]> {
    if (count === 0) return of([]);
    return openDoor(this.#peer, this.#side).pipe(map((door) => this.#announceAt(door, count)));
  }

  end(reason: AmandaError): void {
    this.#over = reason;
    for (const { connection, streams } of this.#groups.value) {
      if (streams.size > 0) connection.abort(reason);
      else connection.close();
    }
    this.#groups.complete();
  }

  #announceAt({ port, arrival }: Door, count: number): readonly Stream[] {
    const group = this.#connect('target', arrival);
    return Array.from({ length: count }, (_, index) =>
      this.#join(group, index === 0 ? port : this.#freshNumber()),
    );
  }

  #freshNumber(): number {
    const number = this.#nextNumber;
    this.#nextNumber = number > FIRST_NON_PORT ? number - 1 : FIRST_STREAM_HANDLE;
    return number;
  }

  #connect(side: 'initiator' | 'target', opening: Observable<SideSocket>): Group {
    const channel = new PendingChannel(
      this.#peer,
      opening.pipe(map((socket) => this.#channelOver(socket))),
    );
    const role =
      side === 'target'
        ? ({ side, namesUser: false } as const)
        : ({ side, user: undefined } as const);
    const connection = new TcpmConnection(channel, role, this.#options);
    const group: Group = { side, connection, streams: new Map(), isAwaited: false };
    if (this.#over === undefined) this.#groups.next([...this.#groups.value, group]);
    connection.subscribe({
      next: (frame) => {
        this.#owner.tap('received', frame);
      },
      error: (error: unknown) => {
        this.#ended(group, error);
      },
      complete: () => {
        this.#ended(group, undefined);
      },
    });
    connection.sent.subscribe((frame) => {
      this.#owner.tap('sent', frame);
    });
    if (this.#over !== undefined) connection.abort(this.#over);
    return group;
  }

  #channelOver({ socket, reader }: SideSocket): Channel {
    const { driver, host } = this.#peer;
    return socketChannel(socket, { driver, ...(host === undefined ? {} : { host }) }, reader);
  }

  #join(group: Group, number: number): Stream {
    if (this.#streams().length >= this.#limits.maxHandles)
      throw tooManyStreams(this.#limits.maxHandles, number);
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

  /** A stream has ended. The side that connected hangs up behind the last one; the other may have bytes on their way. */
  #leave(group: Group, number: number, ends: Ends | undefined): void {
    group.streams.delete(number);
    if (ends?.receiving === 'lost' || ends?.sending === 'lost') group.lost = number;
    if (ends?.receiving === 'dropped') group.isAwaited = true;
    if (
      group.side === 'initiator' &&
      group.streams.size === 0 &&
      !group.isAwaited &&
      group.lost === undefined
    )
      group.connection.close();
  }

  /** The TCP connection has ended; with a stream open that ends everything. */
  #ended(group: Group, error: unknown): void {
    if (this.#over !== undefined) return;
    this.#groups.next(this.#groups.value.filter((one) => one !== group));
    if (group.lost === undefined) return;
    const peer = describePeer(this.#peer);
    const ended = `${peer} ended the TCP connection of the streams with stream ${group.lost} open.`;
    this.#owner.broken(
      error instanceof Error
        ? error
        : new AmandaError('CONNECTION_LOST', ended, { cause: error, peer, handle: group.lost }),
    );
  }

  #streams(): readonly Stream[] {
    return this.#groups.value.flatMap(({ streams }) => [...streams.values()]);
  }

  #flowOf(groups: readonly Group[]): Observable<Flow> {
    const flows = groups.map(({ connection }) => connection.flow);
    if (flows.length === 0)
      return of({
        held: 0,
        limit: this.#limits.receiveBudget,
        paused: false,
        holders: [],
        stall: undefined,
      });
    return combineLatest(flows).pipe(map(together));
  }
}

function together(flows: readonly Flow[]): Flow {
  return {
    held: flows.reduce((sum, { held }) => sum + held, 0),
    limit: flows.reduce((sum, { limit }) => sum + limit, 0),
    paused: flows.some(({ paused }) => paused),
    holders: flows.flatMap(({ holders }) => holders).sort((a, b) => b.held - a.held),
    stall: flows.find(({ stall }) => stall !== undefined)?.stall,
  };
}
