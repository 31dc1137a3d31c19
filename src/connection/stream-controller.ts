import { ReplaySubject, type Observable, type Observer } from 'rxjs';
import type { FrameReceiver } from '../operators/demultiplex.js';
import { AmandaError } from '../wire/errors.js';
import { NO_BYTES } from '../wire/frame.js';
import { ReceiveBuffer, type Credit } from './receive-buffer.js';
import { Stream, type Ends, type StreamCore } from './stream.js';

/** What a stream needs from the connection that carries it. */
export interface Carrier {
  /** The receive budget. */
  readonly credit: Credit;
  readonly isReady: boolean;
  readonly ready: Observable<boolean>;
  /** Sends bytes on a handle, cut into frames. */
  send(handle: number, bytes: Uint8Array): void;
  /** Sends one frame. An empty one closes the handle in this direction. */
  sendFrame(handle: number, payload: Uint8Array): void;
  /** Ends the whole connection: something on it cannot be completed truthfully. */
  abort(reason: Error): void;
  /** Both directions of the handle have closed. */
  forget(handle: number): void;
}

/**
 * What a connection does to a stream: it receives the stream's frames and ends it. Its users see
 * the {@link Stream} alone.
 *
 * A controller of kind `packets` carries a protocol handle: each chunk is one packet.
 */
export class StreamController implements FrameReceiver, StreamCore {
  readonly handle: number;
  readonly buffer: ReceiveBuffer;
  readonly #carrier: Carrier;
  readonly #outlastsClose: boolean;
  #stream: Stream | undefined;
  #ends: Ends = { receiving: 'open', sending: 'open' };
  #endChanges: ReplaySubject<Ends> | undefined;
  #sent = 0;

  /**
   * `outlastsClose`: the peer's close does not end the receiving direction, as on a target's
   * protocol handles.
   */
  constructor(
    handle: number,
    carrier: Carrier,
    kind: 'bytes' | 'packets' = 'bytes',
    outlastsClose = false,
  ) {
    this.handle = handle;
    this.#carrier = carrier;
    this.#outlastsClose = outlastsClose;
    const dropped = (): void => {
      if (this.#ends.receiving === 'open') this.#move({ ...this.#ends, receiving: 'dropped' });
    };
    this.buffer = new ReceiveBuffer(handle, carrier.credit, dropped, kind === 'packets');
  }

  /** What users see of it; always the same object. */
  get stream(): Stream {
    return (this.#stream ??= new Stream(this));
  }

  get sent(): number {
    return this.#sent;
  }

  get held(): number {
    return this.buffer.held;
  }

  get isOpen(): boolean {
    return this.#ends.receiving === 'open' || this.#ends.sending === 'open';
  }

  get isLost(): boolean {
    return this.#ends.sending === 'lost';
  }

  get isReady(): boolean {
    return this.#carrier.isReady;
  }

  get ready(): Observable<boolean> {
    return this.#carrier.ready;
  }

  get ends(): Observable<Ends> {
    if (this.#endChanges === undefined) {
      this.#endChanges = new ReplaySubject(1);
      this.#emitEnds(this.#endChanges);
    }
    return this.#endChanges;
  }

  /** Bytes have arrived. */
  next(chunk: Uint8Array): void {
    this.buffer.next(chunk);
  }

  /** The peer has closed its direction. */
  complete(): void {
    const { receiving } = this.#ends;
    if (this.#outlastsClose || (receiving !== 'open' && receiving !== 'dropped')) return;
    this.#move({ ...this.#ends, receiving: 'closed' });
    this.buffer.finish();
  }

  /** The connection has ended. */
  lose(reason: AmandaError): void {
    const { receiving, sending } = this.#ends;
    const isLost = receiving === 'open';
    this.#move({
      receiving: isLost || receiving === 'dropped' ? 'lost' : receiving,
      sending: sending === 'open' ? 'lost' : sending,
    });
    if (!isLost) return;
    const { code, message, peer } = reason;
    const where = `Handle ${this.handle} was still open; ${this.buffer.received} bytes had arrived on it.`;
    const error = new AmandaError(code, `${message} ${where}`, {
      handle: this.handle,
      peer,
      cause: reason,
    });
    this.buffer.finish({ error });
  }

  send(bytes: Uint8Array): void {
    if (this.#ends.sending === 'closed') {
      throw new AmandaError(
        'ALREADY_CLOSED',
        `Handle ${this.handle} was closed by this side; nothing more can be sent on it.`,
        { handle: this.handle },
      );
    }
    if (this.#ends.sending !== 'open' || bytes.length === 0) return;
    this.#sent += bytes.length;
    this.#carrier.send(this.handle, bytes);
  }

  /** Sends one packet, in one frame. Does nothing once this direction has ended. */
  sendPacket(payload: Uint8Array): void {
    if (this.#ends.sending === 'open') this.#carrier.sendFrame(this.handle, payload);
  }

  close(): void {
    if (this.#ends.sending !== 'open') return;
    this.#carrier.sendFrame(this.handle, NO_BYTES);
    this.#move({ ...this.#ends, sending: 'closed' });
  }

  fail(reason: unknown): void {
    if (this.#ends.sending !== 'open') return;
    const why = reason instanceof Error ? reason.message : String(reason);
    const code = reason instanceof AmandaError ? reason.code : 'CONNECTION_CLOSED';
    this.#carrier.abort(
      new AmandaError(
        code,
        `The connection was ended because the bytes for handle ${this.handle} could not be sent whole: ${why}`,
        { handle: this.handle, cause: reason },
      ),
    );
  }

  /** `mayKeep`: false for a reader inside the library that keeps no chunk. */
  readBy(reader: Observer<Uint8Array>, mayKeep = true): () => void {
    return this.buffer.push({
      next: (chunk) => {
        reader.next(chunk);
      },
      end: ({ error }) => {
        if (error === undefined) reader.complete();
        else reader.error(error);
      },
      mayKeep,
    });
  }

  #move(ends: Ends): void {
    this.#ends = ends;
    // A dropped stream keeps its number until the peer closes it: late frames must find it.
    const isReceiving = ends.receiving === 'open' || ends.receiving === 'dropped';
    if (!isReceiving && ends.sending !== 'open') this.#carrier.forget(this.handle);
    if (this.#endChanges !== undefined) this.#emitEnds(this.#endChanges);
  }

  #emitEnds(changes: ReplaySubject<Ends>): void {
    changes.next(this.#ends);
    if (this.#ends.receiving !== 'open' && this.#ends.sending !== 'open') changes.complete();
  }
}
