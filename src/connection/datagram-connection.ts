import { randomInt } from 'node:crypto';
import { EMPTY, Observable, Subscription } from 'rxjs';
import { encodeDatagram, MAX_DATAGRAM, type Datagram } from '../wire/datagram.js';
import { isAmandaError, type AmandaError } from '../wire/errors.js';
import type { Frame } from '../wire/frame.js';
import { encodePacket, packet, type Packet } from '../wire/packet.js';
import { FrameObservers } from './frame-observers.js';
import type { Peer } from '../transport/channel.js';
import type { Connection, FrameObserver, ProtocolHandle } from './connection.js';
import { DatagramHandle, type HandleOwner } from './datagram-handle.js';
import type { Flow } from './receive-budget.js';
import { asLoss, endedHere } from './connection-errors.js';
import { withDefaults, type ConnectionOptions } from './options.js';
import type { Stream } from './stream.js';
import type { ConnectionSide } from './tcpm-connection.js';

/** One peer of a UDP socket. */
export interface DatagramLink {
  readonly peer: Peer;
  /**
   * What comes from that peer, as far as it can be read. Errors if the peer's
   * port is known to be closed.
   */
  readonly datagrams: Observable<Datagram>;
  send(bytes: Uint8Array): void;
}

/**
 * The streams of a connection whose packets are datagrams: they have TCP connections of their own.
 */
export interface DatagramStreams {
  /** Of all of them together. */
  readonly flow: Observable<Flow>;
  /** Whether a direction of any is open. */
  readonly isOpen: boolean;
  /** On an initiator: the stream that a reply has announced. Connects when it has to. */
  stream(number: number): Stream;
  /** On a target: fresh streams, with a listener for the initiator. */
  announce(count: number): Observable<readonly Stream[]>;
  /** Optional; on a target, completes when the initiator has taken these streams. */
  taken?(numbers: readonly number[]): Observable<never>;
  /** Ends them all; what is open errors with the reason. */
  end(reason: AmandaError): void;
}

/** What the streams report to the connection that they belong to. */
export interface StreamsOwner {
  /** A stream broke while it was open. */
  readonly broken: (reason: Error) => void;
  /** Bytes of a stream were sent or received. */
  readonly observer: FrameObserver;
}

/** Exchanges that are over and whose late packets are still known, per connection. */
const MOST_SETTLED = 256;

/**
 * A connection whose packets are datagrams and whose streams are TCP connections beside them.
 *
 *     datagrams  ---Q--Q-A---      the same handle and sequence number: one exchange
 *     incoming   ---h--------
 *
 * Datagrams get lost, doubled and late. The exchange repeats what is lost. After its end, the
 * connection takes over: an initiator acknowledges a repeated reply again, and a target does not
 * run an acknowledged request again. What belongs to no exchange is dropped, and so is a request
 * beyond `maxHandles`: both come again if they are real.
 *
 * A stream that breaks ends the connection, as over TCPM. Taps see packets and stream bytes as
 * frames. Source: PROTOCOL.md, "Datagrams".
 */
export class DatagramConnection extends Observable<Frame> implements Connection, HandleOwner {
  readonly peer: Peer;
  readonly namesUser = true;
  readonly user: string | undefined;
  readonly sent: Observable<Frame>;
  readonly flow: Observable<Flow>;
  readonly incoming: Observable<ProtocolHandle>;
  readonly ended: Observable<never>;
  readonly #side: ConnectionSide['side'];
  readonly #link: DatagramLink;
  readonly #streams: DatagramStreams;
  readonly #maxHandles: number;
  readonly #observers: FrameObservers;
  readonly #handles = new Map<string, DatagramHandle>();
  readonly #settled = new Set<string>();
  readonly #subscription = new Subscription();
  #nextNumber = 1;
  #over: AmandaError | undefined;

  constructor(
    link: DatagramLink,
    side: ConnectionSide,
    streams: (owner: StreamsOwner) => DatagramStreams,
    options: ConnectionOptions = {},
  ) {
    const observers = new FrameObservers();
    super((tap) => observers.received.subscribe(tap));
    this.#observers = observers;
    this.#link = link;
    this.#side = side.side;
    this.#maxHandles = withDefaults(options).maxHandles;
    this.#streams = streams({
      broken: (reason) => {
        this.abort(reason);
      },
      observer: (direction, handle, payload) => {
        this.#show(direction, { handle, payload });
      },
    });
    this.peer = link.peer;
    this.user = side.side === 'initiator' ? side.user : undefined;
    this.sent = observers.sent;
    this.flow = this.#streams.flow;
    this.incoming = observers.incoming;
    this.ended = observers.ended;
    this.#subscription.add(
      link.datagrams.subscribe({
        next: (datagram) => {
          this.#receive(datagram);
        },
        error: (error: unknown) => {
          this.abort(error instanceof Error ? error : new Error(String(error)));
        },
      }),
    );
  }

  observe(observer: FrameObserver): () => void {
    return this.#observers.observe(observer);
  }

  stream(number: number): Stream {
    return this.#streams.stream(number);
  }

  openHandle(number: number = this.#nextNumber): ProtocolHandle {
    this.#nextNumber = Math.max(this.#nextNumber, number + 1);
    // Amanda puts its clock here. A random number tells runs apart as well, and a stranger cannot
    // guess it and answer.
    const handle = new DatagramHandle(
      number,
      `000-${(number - 1).toString(16).padStart(8, '0')}`,
      randomInt(0x7fff_ffff),
      this,
    );
    if (this.#over === undefined) this.#handles.set(keyOf(handle), handle);
    else handle.lose(this.#over);
    return handle;
  }

  announce(count: number): Observable<readonly Stream[]> {
    return this.#streams.announce(count);
  }

  taken(handles: readonly number[]): Observable<never> {
    return this.#streams.taken?.(handles) ?? EMPTY;
  }

  close(): void {
    this.#finish(endedHere(this.peer, 'closed'), false);
  }

  abort(reason: Error): void {
    this.#finish(asLoss(reason, this.peer), true);
  }

  /**
   * Ends the connection the way its state asks for: in good order when no stream is open, else at
   * once.
   */
  dispose(): void {
    if (this.#streams.isOpen) this.abort(endedHere(this.peer, 'cancelled'));
    else this.close();
  }

  /** For its handles. Errors with `DATAGRAM_TOO_LARGE` for a request that no datagram can hold. */
  send(handle: DatagramHandle, given: Packet): void {
    if (this.#over !== undefined) return;
    const { packet: sendable, bytes } = encodeFitting(handle, given);
    if (bytes === undefined) return;
    this.#show('sent', { handle: handle.number, payload: encodePacket(sendable) });
    this.#link.send(bytes);
  }

  forget(handle: DatagramHandle): void {
    const key = keyOf(handle);
    if (!this.#handles.delete(key) || !handle.settled) return;
    this.#settled.add(key);
    const [oldest] = this.#settled;
    if (this.#settled.size > MOST_SETTLED && oldest !== undefined) this.#settled.delete(oldest);
  }

  /** Shows a packet, or bytes of a stream, as a frame. */
  #show(direction: 'received' | 'sent', frame: Frame): void {
    if (this.#over === undefined) this.#observers.frame(direction, frame);
  }

  #receive({ handle: word, sequence, packet: arrived }: Datagram): void {
    if (this.#over !== undefined) return;
    const key = keyOf({ word, sequence });
    if (this.#settled.has(key)) {
      if (this.#side === 'initiator' && arrived.type === 'REP')
        this.#link.send(encodeDatagram({ handle: word, sequence, packet: packet('ACK') }));
      return;
    }
    const known = this.#handles.get(key);
    const handle = known ?? this.#open(key, word, sequence, arrived);
    if (handle === undefined) return;
    this.#show('received', { handle: handle.number, payload: encodePacket(arrived) });
    handle.deliver(arrived);
    if (known !== undefined) return;
    this.#observers.opened(handle);
  }

  /** Only a request begins an exchange, and only on a target. */
  #open(key: string, word: string, sequence: number, { type }: Packet): DatagramHandle | undefined {
    if (this.#side === 'initiator' || type !== 'REQ' || this.#handles.size >= this.#maxHandles)
      return undefined;
    const handle = new DatagramHandle(this.#nextNumber++, word, sequence, this);
    this.#handles.set(key, handle);
    return handle;
  }

  #finish(reason: AmandaError, broken: boolean): void {
    if (this.#over !== undefined) return;
    this.#over = reason;
    this.#streams.end(reason);
    for (const handle of [...this.#handles.values()]) handle.lose(reason);
    this.#handles.clear();
    this.#observers.over(broken ? reason : undefined);
    this.#subscription.unsubscribe();
  }
}

function keyOf({ word, sequence }: Pick<DatagramHandle, 'word' | 'sequence'>): string {
  return `${word} ${sequence}`;
}

interface Encoded {
  readonly packet: Packet;
  /** Undefined for what need not be sent. */
  readonly bytes: Uint8Array | undefined;
}

/**
 * Encodes a packet into a datagram. A reply that is too long becomes an error that says so; a
 * partial one is left out.
 */
function encodeFitting({ word, sequence }: DatagramHandle, given: Packet): Encoded {
  const encoded = (sent: Packet): Encoded => ({
    packet: sent,
    bytes: encodeDatagram({ handle: word, sequence, packet: sent }),
  });
  try {
    return encoded(given);
  } catch (error) {
    const { type, body } = given;
    if (type === 'REQ' || !isAmandaError(error, 'DATAGRAM_TOO_LARGE')) throw error;
    if (type === 'PREP') return { packet: given, bytes: undefined };
    const text = `ERROR an answer of ${body.length} bytes fits no datagram, which carries ${MAX_DATAGRAM}; use a driver over TCP for this host, such as bsdtcp\n`;
    return encoded(packet(type === 'NAK' ? 'NAK' : 'REP', text));
  }
}
