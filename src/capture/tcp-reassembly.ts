import { TcpDirection, type Gap, type HoldBudget, type Piece } from './tcp-direction.js';
import { tcpFlags, type Endpoint, type TcpSegment } from './tcp-segment.js';

/** Who sends: the side that asked for the connection, or the one that was asked. */
export type Sender = 'initiator' | 'target';

/** A TCP connection; the same object for as long as it lasts. */
export interface TcpConnection {
  readonly initiator: Endpoint;
  readonly target: Endpoint;
  /** Whether the capture has its beginning. */
  readonly isWhole: boolean;
}

/** What happens to connections. Times are milliseconds since 1970. */
export type TcpEvent = { readonly at: number; readonly connection: TcpConnection } & (
  | { readonly kind: 'open' }
  /** The next bytes of a direction; not to be changed. */
  | { readonly kind: 'bytes'; readonly sender: Sender; readonly bytes: Uint8Array }
  /** The sender has sent everything. */
  | { readonly kind: 'end'; readonly sender: Sender }
  /** Bytes are missing; no more of this direction come. */
  | ({ readonly kind: 'gap'; readonly sender: Sender } & Gap)
  /** The sender has broken the connection. */
  | { readonly kind: 'reset'; readonly sender: Sender }
  /** Nothing more comes of this connection. */
  | { readonly kind: 'over' }
);

export interface ReassemblyOptions {
  /** Of a connection whose beginning is missing: the port of its target, if one of the two is that. */
  readonly targetPort?: number | undefined;
  /** Bytes of a direction that are kept when they come too early; default 8 MiB. */
  readonly maxHeld?: number;
  /** The same of all connections together; default 64 MiB. */
  readonly maxHeldTogether?: number;
  /** Connections that are watched at once; over that, the one that was silent longest is given up. Default 4,096. */
  readonly maxConnections?: number;
}

interface Watched {
  readonly connection: TcpConnection;
  readonly synSequence: number | undefined;
  readonly directions: Readonly<Record<Sender, TcpDirection>>;
  /** Nothing of it is told any more. */
  over: boolean;
  /** Both sides have said their last. */
  hasEnded: boolean;
  lastPacket: number;
}

const senders: readonly Sender[] = ['initiator', 'target'];

/** Puts captured TCP segments together to connections, each direction in its order, whatever order they come in. */
export class TcpReassembly {
  readonly #sink: (event: TcpEvent) => void;
  readonly #targetPort: number | undefined;
  readonly #maxHeld: number;
  readonly #maxConnections: number;
  readonly #budget: HoldBudget;
  readonly #watched = new Map<string, Watched>();
  readonly #byConnection = new Map<TcpConnection, Watched>();
  #packets = 0;
  #now = 0;

  constructor(
    sink: (event: TcpEvent) => void,
    {
      targetPort,
      maxHeld = 8_388_608,
      maxHeldTogether = 67_108_864,
      maxConnections = 4_096,
    }: ReassemblyOptions = {},
  ) {
    this.#sink = sink;
    this.#targetPort = targetPort;
    this.#maxHeld = maxHeld;
    this.#maxConnections = maxConnections;
    this.#budget = { held: 0, limit: maxHeldTogether };
  }

  /** Takes the next segment of the capture. */
  push(segment: TcpSegment): void {
    this.#packets += 1;
    // Packets of several interfaces may be out of order; what happens does not go back in time.
    this.#now = Math.max(this.#now, segment.at);
    const key = keyOf(segment);
    const watched = this.#isNew(segment, this.#watched.get(key))
      ? this.#open(key, segment)
      : this.#watched.get(key);
    if (watched === undefined) return;
    watched.lastPacket = this.#packets;
    if (!watched.over) this.#take(watched, segment);
  }

  /** Says that the capture is over: what is still waited for does not come. */
  end(): void {
    for (const [key, watched] of this.#watched) this.#forget(key, watched);
  }

  /** Says that a connection is not wanted: nothing more of it is kept or told. */
  ignore(connection: TcpConnection): void {
    const watched = this.#byConnection.get(connection);
    if (watched === undefined) return;
    watched.over = true;
    for (const sender of senders) watched.directions[sender].finish(() => undefined);
    this.#byConnection.delete(connection);
  }

  #isNew({ flags, sequence, payload }: TcpSegment, known: Watched | undefined): boolean {
    // A SYN may be sent again; one with another number is a new connection between the same ports, and so is one behind the end of the one before:
    // what writes captures without having seen packets may begin each with the same number.
    if ((flags & tcpFlags.syn) !== 0 && (flags & tcpFlags.ack) === 0)
      return known?.synSequence !== sequence || known.hasEnded;
    if (known !== undefined || (flags & tcpFlags.rst) !== 0) return false;
    // The last acknowledgements of a connection are not one of their own.
    return (flags & tcpFlags.syn) !== 0 || payload.length > 0;
  }

  #open(key: string, segment: TcpSegment): Watched {
    const before = this.#watched.get(key);
    if (before !== undefined) this.#forget(key, before);
    if (this.#watched.size >= this.#maxConnections) this.#forgetOne();
    const isSyn = (segment.flags & tcpFlags.syn) !== 0;
    const isAsked = isSyn
      ? (segment.flags & tcpFlags.ack) === 0
      : this.#looksLikeInitiator(segment);
    const [initiator, target] = isAsked
      ? [segment.source, segment.destination]
      : [segment.destination, segment.source];
    const direction = (): TcpDirection => new TcpDirection(this.#budget, this.#maxHeld);
    const watched: Watched = {
      connection: { initiator, target, isWhole: isSyn },
      synSequence: isSyn && isAsked ? segment.sequence : undefined,
      directions: { initiator: direction(), target: direction() },
      over: false,
      hasEnded: false,
      lastPacket: this.#packets,
    };
    this.#watched.set(key, watched);
    this.#byConnection.set(watched.connection, watched);
    this.#tell(watched, { kind: 'open' });
    return watched;
  }

  #take(
    watched: Watched,
    { source, sequence, acknowledged, flags, payload, missing }: TcpSegment,
  ): void {
    const sender: Sender =
      source.address === watched.connection.initiator.address &&
      source.port === watched.connection.initiator.port
        ? 'initiator'
        : 'target';
    const direction = watched.directions[sender];
    const isSyn = (flags & tcpFlags.syn) !== 0;
    // A SYN takes a number of its own. The answer to one says also where the asking side begins.
    const first = isSyn ? (sequence + 1) >>> 0 : sequence;
    if (isSyn) direction.start(first);
    if (isSyn && (flags & tcpFlags.ack) !== 0)
      watched.directions[sender === 'target' ? 'initiator' : 'target'].start(acknowledged);
    if ((flags & tcpFlags.rst) !== 0) {
      this.#reset(watched, sender);
      return;
    }
    direction.accept(
      { sequence: first, payload, missing, fin: (flags & tcpFlags.fin) !== 0 },
      (piece) => this.#tellPiece(watched, sender, piece),
    );
    watched.hasEnded = senders.every((one) => watched.directions[one].isOver);
    if (watched.hasEnded) this.#over(watched);
  }

  #reset(watched: Watched, sender: Sender): void {
    this.#finish(watched);
    this.#tell(watched, { kind: 'reset', sender });
    watched.hasEnded = true;
    this.#over(watched);
  }

  #finish(watched: Watched): void {
    for (const sender of senders)
      watched.directions[sender].finish((piece) => this.#tellPiece(watched, sender, piece));
  }

  #over(watched: Watched): void {
    if (watched.over) return;
    this.#tell(watched, { kind: 'over' });
    watched.over = true;
    this.#byConnection.delete(watched.connection);
  }

  #forget(key: string, watched: Watched): void {
    this.#watched.delete(key);
    if (watched.over) return;
    this.#finish(watched);
    this.#over(watched);
  }

  /** Makes room: a connection that is over goes first, then the one that was silent longest. */
  #forgetOne(): void {
    let found: [string, Watched] | undefined;
    for (const entry of this.#watched)
      if (found === undefined || rank(entry[1]) < rank(found[1])) found = entry;
    if (found !== undefined) this.#forget(...found);
  }

  #looksLikeInitiator({ source, destination }: TcpSegment): boolean {
    if (destination.port === this.#targetPort || source.port === this.#targetPort)
      return destination.port === this.#targetPort;
    // Amanda asks from a port that only root may have.
    return source.port < FIRST_FREE_PORT || destination.port >= FIRST_FREE_PORT;
  }

  #tellPiece(watched: Watched, sender: Sender, piece: Piece): void {
    if (piece.kind === 'fin') this.#tell(watched, { kind: 'end', sender });
    else this.#tell(watched, { ...piece, sender });
  }

  #tell(watched: Watched, event: Untimed): void {
    if (!watched.over) this.#sink({ at: this.#now, connection: watched.connection, ...event });
  }
}

type Untimed = TcpEvent extends infer Event
  ? Event extends TcpEvent
    ? Omit<Event, 'at' | 'connection'>
    : never
  : never;

const FIRST_FREE_PORT = 1_024;

function rank({ over, lastPacket }: Watched): number {
  return over ? lastPacket - Number.MAX_SAFE_INTEGER : lastPacket;
}

/** The same for both directions. */
function keyOf({ source, destination }: TcpSegment): string {
  const one = `${source.address} ${source.port}`;
  const other = `${destination.address} ${destination.port}`;
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}
