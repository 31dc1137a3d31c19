import type { Role } from '../wire/role.js';
import { TcpDirection, type Gap, type ReorderBudget, type Piece } from './tcp-direction.js';
import { tcpFlags, type Endpoint, type TcpSegment } from './tcp-segment.js';

/** A TCP connection; the same object for as long as it lasts. */
export interface TcpConnection {
  readonly initiator: Endpoint;
  readonly target: Endpoint;
  /** Whether its beginning is in the capture. */
  readonly isWhole: boolean;
}

/** Events of connections. Times are milliseconds since 1970. */
export type TcpEvent = { readonly at: number; readonly connection: TcpConnection } & (
  | { readonly kind: 'open' }
  /** The next bytes of a direction; do not change them. */
  | { readonly kind: 'bytes'; readonly sender: Role; readonly bytes: Uint8Array }
  /** The sender has closed its direction. */
  | { readonly kind: 'end'; readonly sender: Role }
  /** Bytes are missing, which ends this direction. */
  | ({ readonly kind: 'gap'; readonly sender: Role } & Gap)
  /** The sender has reset the connection. */
  | { readonly kind: 'reset'; readonly sender: Role }
  /** The connection is over. */
  | { readonly kind: 'over' }
);

export interface ReassemblyOptions {
  /** Optional; identifies the target of a connection whose beginning is missing. */
  readonly targetPort?: number | undefined;
  /** The most out-of-order bytes of a direction; default 8 MiB. */
  readonly maxBuffered?: number;
  /** The same for all connections together; default 64 MiB. */
  readonly maxBufferedTogether?: number;
  /** The most connections at once; then the one that was idle longest is dropped. Default 4,096. */
  readonly maxConnections?: number;
}

interface FollowedConnection {
  readonly connection: TcpConnection;
  readonly synSequence: number | undefined;
  readonly directions: Readonly<Record<Role, TcpDirection>>;
  /** No more events of it are emitted. */
  over: boolean;
  /** Both directions have ended. */
  hasEnded: boolean;
  lastPacket: number;
}

const senders: readonly Role[] = ['initiator', 'target'];

/** Reassembles captured TCP segments, in any order, to connections with ordered directions. */
export class TcpReassembly {
  readonly #sink: (event: TcpEvent) => void;
  readonly #targetPort: number | undefined;
  readonly #maxBuffered: number;
  readonly #maxConnections: number;
  readonly #budget: ReorderBudget;
  readonly #followed = new Map<string, FollowedConnection>();
  readonly #byConnection = new Map<TcpConnection, FollowedConnection>();
  #packets = 0;
  #now = 0;

  constructor(
    sink: (event: TcpEvent) => void,
    {
      targetPort,
      maxBuffered = 8_388_608,
      maxBufferedTogether = 67_108_864,
      maxConnections = 4_096,
    }: ReassemblyOptions = {},
  ) {
    this.#sink = sink;
    this.#targetPort = targetPort;
    this.#maxBuffered = maxBuffered;
    this.#maxConnections = maxConnections;
    this.#budget = { buffered: 0, limit: maxBufferedTogether };
  }

  /** Takes the next segment of the capture. */
  push(segment: TcpSegment): void {
    this.#packets += 1;
    // Packets of several interfaces may be out of order; events never go back in time.
    this.#now = Math.max(this.#now, segment.at);
    const key = keyOf(segment);
    const followed = this.#isNew(segment, this.#followed.get(key))
      ? this.#open(key, segment)
      : this.#followed.get(key);
    if (followed === undefined) return;
    followed.lastPacket = this.#packets;
    if (!followed.over) this.#take(followed, segment);
  }

  /** The end of the capture: missing bytes do not come any more. */
  end(): void {
    for (const [key, followed] of this.#followed) this.#forget(key, followed);
  }

  /** Ignores a connection: it buffers and emits nothing more of it. */
  ignore(connection: TcpConnection): void {
    const followed = this.#byConnection.get(connection);
    if (followed === undefined) return;
    followed.over = true;
    for (const sender of senders) followed.directions[sender].finish(() => undefined);
    this.#byConnection.delete(connection);
  }

  #isNew({ flags, sequence, payload }: TcpSegment, known: FollowedConnection | undefined): boolean {
    // A repeated SYN has the same number, and another number begins a new connection. A SYN after
    // the end does so too: some programs begin every connection with one number.
    if ((flags & tcpFlags.syn) !== 0 && (flags & tcpFlags.ack) === 0)
      return known?.synSequence !== sequence || known.hasEnded;
    if (known !== undefined || (flags & tcpFlags.rst) !== 0) return false;
    // Late acknowledgements do not begin a connection.
    return (flags & tcpFlags.syn) !== 0 || payload.length > 0;
  }

  #open(key: string, segment: TcpSegment): FollowedConnection {
    const before = this.#followed.get(key);
    if (before !== undefined) this.#forget(key, before);
    if (this.#followed.size >= this.#maxConnections) this.#forgetOne();
    const isSyn = (segment.flags & tcpFlags.syn) !== 0;
    const isAsked = isSyn
      ? (segment.flags & tcpFlags.ack) === 0
      : this.#looksLikeInitiator(segment);
    const [initiator, target] = isAsked
      ? [segment.source, segment.destination]
      : [segment.destination, segment.source];
    const direction = (): TcpDirection => new TcpDirection(this.#budget, this.#maxBuffered);
    const followed: FollowedConnection = {
      connection: { initiator, target, isWhole: isSyn },
      synSequence: isSyn && isAsked ? segment.sequence : undefined,
      directions: { initiator: direction(), target: direction() },
      over: false,
      hasEnded: false,
      lastPacket: this.#packets,
    };
    this.#followed.set(key, followed);
    this.#byConnection.set(followed.connection, followed);
    this.#emit(followed, { kind: 'open' });
    return followed;
  }

  #take(
    followed: FollowedConnection,
    { source, sequence, acknowledged, flags, payload, missing }: TcpSegment,
  ): void {
    const sender: Role =
      source.address === followed.connection.initiator.address &&
      source.port === followed.connection.initiator.port
        ? 'initiator'
        : 'target';
    const direction = followed.directions[sender];
    const isSyn = (flags & tcpFlags.syn) !== 0;
    // A SYN takes one number. Its answer also has the first number of the initiator.
    const first = isSyn ? (sequence + 1) >>> 0 : sequence;
    if (isSyn) direction.start(first);
    if (isSyn && (flags & tcpFlags.ack) !== 0)
      followed.directions[sender === 'target' ? 'initiator' : 'target'].start(acknowledged);
    if ((flags & tcpFlags.rst) !== 0) {
      this.#reset(followed, sender);
      return;
    }
    direction.accept(
      { sequence: first, payload, missing, fin: (flags & tcpFlags.fin) !== 0 },
      (piece) => this.#emitPiece(followed, sender, piece),
    );
    followed.hasEnded = senders.every((one) => followed.directions[one].isOver);
    if (followed.hasEnded) this.#over(followed);
  }

  #reset(followed: FollowedConnection, sender: Role): void {
    this.#finish(followed);
    this.#emit(followed, { kind: 'reset', sender });
    followed.hasEnded = true;
    this.#over(followed);
  }

  #finish(followed: FollowedConnection): void {
    for (const sender of senders)
      followed.directions[sender].finish((piece) => this.#emitPiece(followed, sender, piece));
  }

  #over(followed: FollowedConnection): void {
    if (followed.over) return;
    this.#emit(followed, { kind: 'over' });
    followed.over = true;
    this.#byConnection.delete(followed.connection);
  }

  #forget(key: string, followed: FollowedConnection): void {
    this.#followed.delete(key);
    if (followed.over) return;
    this.#finish(followed);
    this.#over(followed);
  }

  /** Drops one connection: one that is over, or the one that was idle longest. */
  #forgetOne(): void {
    let found: [string, FollowedConnection] | undefined;
    for (const entry of this.#followed)
      if (found === undefined || rank(entry[1]) < rank(found[1])) found = entry;
    if (found !== undefined) this.#forget(...found);
  }

  #looksLikeInitiator({ source, destination }: TcpSegment): boolean {
    if (destination.port === this.#targetPort || source.port === this.#targetPort)
      return destination.port === this.#targetPort;
    // Amanda connects from a reserved port.
    return source.port < FIRST_FREE_PORT || destination.port >= FIRST_FREE_PORT;
  }

  #emitPiece(followed: FollowedConnection, sender: Role, piece: Piece): void {
    if (piece.kind === 'fin') this.#emit(followed, { kind: 'end', sender });
    else this.#emit(followed, { ...piece, sender });
  }

  #emit(followed: FollowedConnection, event: Untimed): void {
    if (!followed.over) this.#sink({ at: this.#now, connection: followed.connection, ...event });
  }
}

type Untimed = TcpEvent extends infer Event
  ? Event extends TcpEvent
    ? Omit<Event, 'at' | 'connection'>
    : never
  : never;

const FIRST_FREE_PORT = 1_024;

function rank({ over, lastPacket }: FollowedConnection): number {
  return over ? lastPacket - Number.MAX_SAFE_INTEGER : lastPacket;
}

/** Equal for both directions. */
function keyOf({ source, destination }: TcpSegment): string {
  const one = `${source.address} ${source.port}`;
  const other = `${destination.address} ${destination.port}`;
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}
