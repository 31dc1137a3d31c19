import { Observable, ReplaySubject, type ObservableInput, type Observer } from 'rxjs';
import type { Readable } from 'node:stream';
import { iterate } from '../operators/iterate.js';
import { paced, type PacedOptions } from '../operators/paced.js';
import type { Pull, Pullable } from '../operators/pull.js';
import { toReadable } from '../operators/to-readable.js';
import { AmandaError } from '../wire/errors.js';
import { Inbox, type Credit } from './inbox.js';

/** What a Stream needs from the connection that carries it. */
export interface Carrier extends Credit {
  readonly isReady: boolean;
  readonly ready: Observable<boolean>;
  /** Sends bytes on a handle, cut as the carrier needs it. */
  send(handle: number, bytes: Uint8Array): void;
  /** Sends bytes that must arrive as one frame. */
  sendPacket(handle: number, payload: Uint8Array): void;
  /** Hands over at once what was sent; whether its memory may change now. Not there where that is never known. */
  flush?(): boolean;
  /** Closes the sending direction of a handle. */
  sendEnd(handle: number): void;
  /** Ends the whole connection, since something on it cannot be completed truthfully. */
  abort(reason: Error): void;
  /** Both directions of the handle have closed. */
  forget(handle: number): void;
}

/** How far each direction of a Stream is. */
export interface Ends {
  /** `closed` by the peer; `dropped` when the reader has left, or never wanted any; `lost` when the connection ended first. */
  readonly receiving: 'open' | 'closed' | 'dropped' | 'lost';
  /** `closed` by this side; `lost` when the connection ended first. */
  readonly sending: 'open' | 'closed' | 'lost';
}

/**
 * The bytes of one handle, both ways: an Observable of what arrives and an Observer of what is to
 * be sent. Each direction ends on its own. Source: PROTOCOL.md, "Streams".
 *
 * What arrives waits for the one reader: the first of `subscribe`, `paced`, iteration, `toReadable`
 * and `discard`; a second one errors with `ALREADY_READ`. It completes when the peer has closed its
 * direction and errors with `CONNECTION_LOST` (or the code of what broke the connection) otherwise.
 * A reader that leaves early gives back what was kept; what still arrives is dropped.
 *
 * Chunks may be cut anywhere; their memory is the reader's to keep, unless it asked for `lend`.
 * It stays in this thread: `postMessage` copies a chunk even where its memory stands in the transfer
 * list (Node 20), or throws `DataCloneError` then (later).
 */
export class Stream
  extends Observable<Uint8Array>
  implements Observer<Uint8Array>, Pullable<Uint8Array>
{
  readonly handle: number;
  readonly #carrier: Carrier;
  readonly #inbox: Inbox;
  #ends: Ends = { receiving: 'open', sending: 'open' };
  #endChanges: ReplaySubject<Ends> | undefined;
  #outlastsEnd = false;
  #sent = 0;

  constructor(handle: number, carrier: Carrier) {
    super((reader) => this.#readBy(reader, true));
    this.handle = handle;
    this.#carrier = carrier;
    this.#inbox = new Inbox(handle, carrier, () => {
      if (this.#ends.receiving === 'open') this.#move({ ...this.#ends, receiving: 'dropped' });
    });
  }

  /** Bytes that have arrived so far. */
  get received(): number {
    return this.#inbox.received;
  }

  /** Bytes handed over to be sent so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Cost of what has arrived and was not consumed, in bytes. */
  get held(): number {
    return this.#inbox.held;
  }

  /** Whether a reader waits for bytes. */
  get isWaiting(): boolean {
    return this.#inbox.isWaiting;
  }

  /** Whether either direction is open. */
  get isOpen(): boolean {
    return this.#ends.receiving === 'open' || this.#ends.sending === 'open';
  }

  /** Whether the connection has ended before this side had closed: what is sent goes nowhere. */
  get isLost(): boolean {
    return this.#ends.sending === 'lost';
  }

  /** How far each direction is, now and at each change; completes when neither is open. */
  get ends(): Observable<Ends> {
    if (this.#endChanges === undefined) {
      this.#endChanges = new ReplaySubject(1);
      this.#tellEnds(this.#endChanges);
    }
    return this.#endChanges;
  }

  /**
   * False while the channel is saturated: what is sent now waits in memory, against the send budget. Each change is told once, and whoever filled
   * the channel at the last turn is told last, so that the streams of a connection take turns.
   */
  get ready(): Observable<boolean> {
    return this.#carrier.ready;
  }

  /** The present value of `ready`. */
  get isReady(): boolean {
    return this.#carrier.isReady;
  }

  /**
   * Consumes chunks one after another; each is paid back when its work completes. The results of all come out in order. With `lend` a chunk's memory
   * is written to again from then on.
   */
  paced<R>(work: (chunk: Uint8Array) => ObservableInput<R>, options?: PacedOptions): Observable<R> {
    return paced(work, options)(this);
  }

  /** Consumes by iteration; a chunk is paid back when the next one is asked for. Leaving the loop early drops the rest. */
  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    return iterate(this);
  }

  /** Consumes through a Node Readable, at its pace. */
  toReadable(): Readable {
    return toReadable(this);
  }

  /** Says that nobody wants this stream: what arrives is dropped and costs nothing. */
  discard(): void {
    this.#inbox.pull(() => undefined).cancel();
  }

  pull(wake: () => void, lend = false): Pull<Uint8Array> {
    return this.#inbox.pull(wake, lend);
  }

  /**
   * Sends bytes. The memory must not change afterwards.
   *
   * Throws `ALREADY_CLOSED` after `complete()`. Does nothing once the connection has ended, which the
   * receiving side reports. Over the send budget the connection ends with `SEND_BUDGET`.
   */
  next(bytes: Uint8Array): void {
    if (this.#ends.sending === 'closed') {
      throw new AmandaError(
        'ALREADY_CLOSED',
        `Handle ${this.handle} was closed by this side; nothing can be sent on it any more.`,
        { handle: this.handle },
      );
    }
    if (this.#ends.sending !== 'open' || bytes.length === 0) return;
    this.#sent += bytes.length;
    this.#carrier.send(this.handle, bytes);
  }

  /** Sends at once what was given to `next`; true when its memory is not needed any more. */
  flush(): boolean {
    return this.#carrier.flush?.() ?? false;
  }

  /** For a protocol handle: what arrives, each chunk the payload of one frame. Packets are read here and go no further, so that nothing has to keep their memory here. */
  get payloads(): Observable<Uint8Array> {
    return new Observable((reader) => this.#readBy(reader, false));
  }

  /** For a protocol handle: sends one packet, in one frame. Does nothing once this direction has ended. */
  sendWhole(payload: Uint8Array): void {
    if (this.#ends.sending === 'open') this.#carrier.sendPacket(this.handle, payload);
  }

  /** Closes the sending direction. A second time does nothing. */
  complete(): void {
    if (this.#ends.sending !== 'open') return;
    this.#carrier.sendEnd(this.handle);
    this.#move({ ...this.#ends, sending: 'closed' });
  }

  /**
   * Says that what was to be sent cannot be sent whole. TCPM has no way to abandon one stream, and a
   * close would pass for success, so this ends the connection: the peer sees it break.
   */
  error(reason: unknown): void {
    if (this.#ends.sending !== 'open') return;
    const why = reason instanceof Error ? reason.message : String(reason);
    const code = reason instanceof AmandaError ? reason.code : 'CONNECTION_CLOSED';
    this.#carrier.abort(
      new AmandaError(
        code,
        `The connection was ended because the bytes for handle ${this.handle} could not be sent whole: ${why}`,
        {
          handle: this.handle,
          cause: reason,
        },
      ),
    );
  }

  /** For the carrier, of a target's protocol handle: the initiator's close does not end the exchange, an ACK behind it still counts. */
  outlastEnd(): void {
    this.#outlastsEnd = true;
  }

  /** For the carrier: bytes have arrived. */
  deliver(chunk: Uint8Array): void {
    this.#inbox.deliver(chunk);
  }

  /** For the carrier: the peer has closed its direction. */
  deliverEnd(): void {
    const { receiving } = this.#ends;
    if (this.#outlastsEnd) return;
    if (receiving !== 'open' && receiving !== 'dropped') return;
    this.#move({ ...this.#ends, receiving: 'closed' });
    this.#inbox.finish();
  }

  /** For the carrier: the connection has ended. */
  lose(reason: AmandaError): void {
    const { receiving, sending } = this.#ends;
    const lost = receiving === 'open';
    this.#move({
      receiving: lost || receiving === 'dropped' ? 'lost' : receiving,
      sending: sending === 'open' ? 'lost' : sending,
    });
    if (!lost) return;
    const error = new AmandaError(
      reason.code,
      `${reason.message} Handle ${this.handle} was still open; ${this.received} bytes had arrived on it.`,
      {
        handle: this.handle,
        peer: reason.peer,
        cause: reason,
      },
    );
    this.#inbox.finish({ error });
  }

  #readBy(reader: Observer<Uint8Array>, mayKeep: boolean): () => void {
    return this.#inbox.push(
      (chunk) => {
        reader.next(chunk);
      },
      ({ error }) => {
        if (error === undefined) reader.complete();
        else reader.error(error);
      },
      mayKeep,
    );
  }

  #move(ends: Ends): void {
    this.#ends = ends;
    // A stream that was dropped keeps its number until the peer has closed it too: what still comes must find it.
    if (ends.receiving !== 'open' && ends.receiving !== 'dropped' && ends.sending !== 'open')
      this.#carrier.forget(this.handle);
    if (this.#endChanges !== undefined) this.#tellEnds(this.#endChanges);
  }

  #tellEnds(changes: ReplaySubject<Ends>): void {
    changes.next(this.#ends);
    if (this.#ends.receiving !== 'open' && this.#ends.sending !== 'open') changes.complete();
  }
}
