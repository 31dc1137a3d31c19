import type { Readable } from 'node:stream';
import { Observable, type ObservableInput, type Observer } from 'rxjs';
import { checkArgument } from '../wire/arguments.js';
import { iterate } from '../operators/iterate.js';
import { paced, type PacedOptions } from '../operators/paced.js';
import type { Pull, Pullable } from '../operators/pull.js';
import { toReadable } from '../operators/to-readable.js';
import type { ReceiveBuffer } from './receive-buffer.js';

/** How far each direction of a Stream is. */
export interface Ends {
  /**
   * `closed` by the peer; `dropped` when the reader has left; `lost` when the connection ended
   * first.
   */
  readonly receiving: 'open' | 'closed' | 'dropped' | 'lost';
  /** `closed` by this side; `lost` when the connection ended first. */
  readonly sending: 'open' | 'closed' | 'lost';
}

/** What a Stream calls on its controller. */
export interface StreamCore {
  readonly handle: number;
  readonly buffer: ReceiveBuffer;
  readonly sent: number;
  readonly isOpen: boolean;
  readonly isLost: boolean;
  readonly ends: Observable<Ends>;
  readonly isReady: boolean;
  readonly ready: Observable<boolean>;
  send(bytes: Uint8Array): void;
  close(): void;
  fail(reason: unknown): void;
  readBy(reader: Observer<Uint8Array>): () => void;
}

/**
 * The bytes of one handle, both ways: an Observable of what arrives and an Observer of what is to
 * be sent. Each direction ends on its own. Source: PROTOCOL.md, "Streams".
 *
 * What arrives waits for the one reader: the first of `subscribe`, `paced`, iteration, `toReadable`
 * and `discard`; a second one errors with `ALREADY_READ`. It completes when the peer has closed its
 * direction. Otherwise it errors with `CONNECTION_LOST`, or with the code of what broke the
 * connection. A reader that leaves early gives back what was kept; what still arrives is dropped.
 *
 * Chunks may be cut anywhere. Their memory is the reader's to keep, unless it asked for `lease`. It
 * stays in this thread: `postMessage` with a chunk's memory in its transfer list copies the chunk
 * (Node 20) or throws a `DataCloneError` (later).
 */
export class Stream
  extends Observable<Uint8Array>
  implements Observer<Uint8Array>, Pullable<Uint8Array>
{
  readonly handle: number;
  readonly #core: StreamCore;

  /** @internal Streams come from a Connection or a Reply. */
  constructor(core: StreamCore) {
    super((reader) => core.readBy(reader));
    this.handle = core.handle;
    this.#core = core;
  }

  /** Bytes that have arrived so far. */
  get received(): number {
    return this.#core.buffer.received;
  }

  /** Bytes handed over to be sent so far. */
  get sent(): number {
    return this.#core.sent;
  }

  /** Cost of what has arrived and was not consumed, in bytes. */
  get held(): number {
    return this.#core.buffer.held;
  }

  /** Whether either direction is open. */
  get isOpen(): boolean {
    return this.#core.isOpen;
  }

  /** Whether the connection has ended before this side had closed: what is sent goes nowhere. */
  get isLost(): boolean {
    return this.#core.isLost;
  }

  /** How far each direction is, now and at each change; completes when neither is open. */
  get ends(): Observable<Ends> {
    return this.#core.ends;
  }

  /**
   * False while the channel is saturated: what is sent now waits in memory, against the send
   * budget. Emits the present value and each change. The streams of a connection are notified in
   * turns.
   */
  get ready(): Observable<boolean> {
    return this.#core.ready;
  }

  /** The present value of `ready`. */
  get isReady(): boolean {
    return this.#core.isReady;
  }

  /**
   * Consumes chunks one after another; each is paid back when its work completes. The results come
   * out in order. With `lease` a chunk's memory may be overwritten after its work completes.
   */
  paced<R>(work: (chunk: Uint8Array) => ObservableInput<R>, options?: PacedOptions): Observable<R> {
    return paced(work, options)(this);
  }

  /**
   * Consumes by iteration; the next step pays a chunk back. Leaving the loop early drops the rest.
   */
  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    return iterate(this);
  }

  /** Consumes through a Node Readable, at its pace. */
  toReadable(): Readable {
    return toReadable(this);
  }

  /** Drops what arrives, now and later; it costs nothing. */
  discard(): void {
    this.#core.buffer.pull(() => undefined).cancel();
  }

  pull(wake: () => void, lease = false): Pull<Uint8Array> {
    return this.#core.buffer.pull(wake, lease);
  }

  /**
   * Sends bytes. The memory must not change afterwards.
   *
   * Throws `ALREADY_CLOSED` after `complete()`, and `BAD_ARGUMENT` for anything but bytes. Does
   * nothing once the connection has ended, which the receiving side reports. Over the send budget
   * the connection ends with `SEND_BUDGET`.
   */
  next(bytes: Uint8Array): void {
    if (!ArrayBuffer.isView(bytes)) checkArgument('What a stream sends', bytes, 'bytes');
    this.#core.send(bytes);
  }

  /** Closes the sending direction. A second time does nothing. */
  complete(): void {
    this.#core.close();
  }

  /**
   * Says that what was to be sent cannot be sent whole, and ends the connection. TCPM has no way to
   * abandon one stream, and the peer would take a close for success.
   */
  error(reason: unknown): void {
    this.#core.fail(reason);
  }
}
