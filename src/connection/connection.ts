import type { Observable } from 'rxjs';
import type { Frame } from '../wire/frame.js';
import type { Packet } from '../wire/packet.js';
import type { Peer } from '../transport/channel.js';
import type { Flow } from './receive-budget.js';
import type { Stream } from './stream.js';

/**
 * Sees one frame that passes, in either direction. An empty payload closes the handle. The payload
 * is valid during the call; it must be neither changed nor transferred.
 */
export type FrameObserver = (
  direction: 'sent' | 'received',
  handle: number,
  payload: Uint8Array,
) => void;

/** One connection to the peer: protocol handles for packets, and streams for bytes. */
export interface Connection extends Observable<Frame> {
  /** Who is at the other end. */
  readonly peer: Peer;
  /** Whether requests here carry `SECURITY USER name`. Source: PROTOCOL.md, "Drivers". */
  readonly namesUser: boolean;
  /** On an initiator: the name that its requests carry there. */
  readonly user: string | undefined;
  /** Frames that this side sends, for taps; those received are the Connection itself. */
  readonly sent: Observable<Frame>;
  /**
   * Calls the observer for each frame that passes, until the returned function is called. It costs
   * less than the Observables, because the memory of a frame is not kept and readers go on leasing.
   */
  observe(observer: FrameObserver): () => void;
  /** Held bytes, limit, pauses, and which stream blocks which. Starts with the present state. */
  readonly flow: Observable<Flow>;
  /** On a target: each protocol handle that the initiator opens, with its first packet. */
  readonly incoming: Observable<ProtocolHandle>;
  /** Completes when the connection has ended in good order, errors with the reason if it broke. */
  readonly ended: Observable<never>;
  /** The Stream of a handle; the same object each time until both its directions have closed. */
  stream(handle: number): Stream;
  /** A new protocol handle of the initiator, numbered 1, 2, 3 …, or the one with this number. */
  openHandle(number?: number): ProtocolHandle;
  /** New streams of the target, to be announced in a reply; numbered 499999 downward over TCPM. */
  announce(count: number): Observable<readonly Stream[]>;
  /**
   * Of a target whose streams are connections of their own: completes when the peer has taken these
   * streams. If it has not, the connection breaks. Absent when streams need not be taken.
   */
  taken?(handles: readonly number[]): Observable<never>;
  /**
   * Ends the connection after what was sent. What is still open errors with `CONNECTION_CLOSED`.
   */
  close(): void;
  /** Ends the connection at once; what is still open on it errors with the reason. */
  abort(reason: Error): void;
}

/** The message side of a connection: packets in, packets out, on one handle. */
export interface ProtocolHandle {
  /** Its number on the wire. */
  readonly number: number;
  /**
   * What arrives. One subscriber. Completes when the peer closes the handle; a lost connection
   * errors.
   */
  readonly packets: Observable<Packet>;
  /** Sends a packet at once. */
  send(packet: Packet): void;
  /** Closes the handle and forgets it; the number may be used again. */
  close(): void;
}
