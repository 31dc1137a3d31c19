import { Observable, Subscription, defer, of, tap, timer } from 'rxjs';
import { decodeFrames } from '../operators/decode-frames.js';
import { demultiplex } from '../operators/demultiplex.js';
import { markShared } from '../transport/buffer-pool.js';
import type { Channel, Peer } from '../transport/channel.js';
import { AmandaError } from '../wire/errors.js';
import { checkHandle } from '../wire/frame-header.js';
import type { Frame } from '../wire/frame.js';
import { asLoss, endedHere, hungUp, overSendBudget, stalled } from './connection-errors.js';
import type { Connection, FrameObserver, ProtocolHandle } from './connection.js';
import { FrameObservers } from './frame-observers.js';
import { FrameWriter, atEndOfTick, type Schedule } from './frame-writer.js';
import { Handles } from './handles.js';
import { withDefaults, type ConnectionOptions } from './options.js';
import { TcpmProtocolHandle } from './protocol-handle.js';
import { ReceiveBudget, holdersOf, type Flow } from './receive-budget.js';
import { RequestFairness } from './request-fairness.js';
import { StreamController, type Carrier } from './stream-controller.js';
import type { Stream } from './stream.js';

/**
 * The side: an initiator with the user that it sends, or a target that expects a user or none.
 */
export type ConnectionSide =
  | { readonly side: 'initiator'; readonly user: string | undefined }
  | { readonly side: 'target'; readonly namesUser: boolean };

/**
 * A connection over one byte channel: TCPM frames, demultiplexed by handle.
 *
 *     bytes    -ab--c-de-f-|
 *     frames   -1--2--2-1--|      every frame, for taps
 *     stream 1 -x-------y--|
 *     stream 2 ----x--y----|      kept from the first byte on, until its reader comes
 *
 * It reads from the channel from the start. It pauses the channel between reads while the receive
 * budget is used up or requests wait for their turn. Source: PROTOCOL.md, "Frames" and "Streams".
 */
export class TcpmConnection extends Observable<Frame> implements Connection, Carrier {
  readonly peer: Peer;
  readonly namesUser: boolean;
  readonly user: string | undefined;
  readonly incoming: Observable<ProtocolHandle>;
  readonly ended: Observable<never>;
  readonly credit: ReceiveBudget;
  readonly #channel: Channel;
  readonly #options: Required<ConnectionOptions>;
  readonly #observers: FrameObservers;
  readonly #handles: Handles<StreamController>;
  readonly #writer: FrameWriter;
  readonly #subscription = new Subscription();
  #fairness: RequestFairness | undefined;
  #isPaused = false;
  /** Why the connection is over; an error is made only if something is still open. */
  #over: (() => AmandaError) | undefined;

  /** `schedule`: when gathered frames are written, by default at the end of the tick. */
  constructor(
    channel: Channel,
    side: ConnectionSide,
    options: ConnectionOptions = {},
    schedule: Schedule = atEndOfTick,
  ) {
    const observers = new FrameObservers();
    super((frames) => observers.received.subscribe(frames));
    this.#options = withDefaults(options);
    const { receiveBudget, stallAfter, maxHandles, gather } = this.#options;
    this.#observers = observers;
    this.#channel = channel;
    this.#handles = new Handles(side.side, maxHandles);
    this.#writer = new FrameWriter(channel, gather ? schedule : undefined);
    this.credit = new ReceiveBudget(receiveBudget, stallAfter, {
      changed: () => {
        this.#pauseOrResume();
      },
      holders: () => holdersOf(this.#handles.all()),
      waiting: () =>
        [...this.#handles.all()]
          .filter(({ buffer }) => buffer.isWaiting)
          .map(({ handle }) => handle),
      stalled: (stall) => {
        if (this.#options.onStall === 'error') this.abort(stalled(stall, this.peer));
      },
    });
    this.peer = channel.peer;
    this.user = side.side === 'initiator' ? side.user : undefined;
    this.namesUser = side.side === 'initiator' ? side.user !== undefined : side.namesUser;
    this.incoming = observers.incoming;
    this.ended = observers.ended;
    this.#receive();
  }

  /** The way of a byte: from the channel to the receiver of its handle. */
  #receive(): void {
    let hasEnded = false;
    const streams = this.#channel.bytes.pipe(
      tap({ next: markShared, complete: () => (hasEnded = true) }),
      decodeFrames({ maxPayload: this.#options.maxPayload }),
      tap((frame) => {
        this.#observers.frame('received', frame);
      }),
      demultiplex((frame) => this.#receiverOf(frame)),
    );
    this.#subscription.add(
      streams.subscribe({
        error: (error: unknown) => {
          // Bytes that end inside a frame are no error of the decoder: the peer closed the channel.
          this.#conclude(hasEnded ? hungUp(this.peer, error) : error);
        },
        complete: () => {
          this.#conclude();
        },
      }),
    );
  }

  get sent(): Observable<Frame> {
    return this.#observers.sent;
  }

  get flow(): Observable<Flow> {
    return this.credit.flow;
  }

  get isReady(): boolean {
    return this.#writer.isReady;
  }

  get ready(): Observable<boolean> {
    return this.#writer.ready;
  }

  observe(observer: FrameObserver): () => void {
    return this.#observers.observe(observer);
  }

  stream(handle: number): Stream {
    return this.#controller(handle, 'bytes').stream;
  }

  openHandle(number: number = this.#handles.nextProtocolHandle()): ProtocolHandle {
    return this.#protocolHandle(this.#controller(number, 'packets'));
  }

  announce(count: number): Observable<readonly Stream[]> {
    return defer(() => {
      this.#handles.requireRoom(count);
      return of(Array.from({ length: count }, () => this.stream(this.#handles.nextStreamHandle())));
    });
  }

  send(handle: number, bytes: Uint8Array): void {
    const size = this.#options.frameBytes;
    if (bytes.length <= size) this.sendFrame(handle, bytes);
    else
      for (let at = 0; at < bytes.length; at += size)
        this.sendFrame(handle, bytes.subarray(at, at + size));
  }

  sendFrame(handle: number, payload: Uint8Array): void {
    if (this.#over !== undefined) return;
    this.#observers.frame('sent', { handle, payload });
    this.#writer.write(handle, payload);
    const { sendBudget } = this.#options;
    if (this.#writer.backlog > sendBudget)
      this.abort(overSendBudget(this.peer, handle, sendBudget));
  }

  forget(handle: number): void {
    this.#handles.forget(handle);
  }

  close(): void {
    if (this.#over !== undefined) return;
    this.#writer.flush();
    this.#finish(() => endedHere(this.peer, 'closed'), false);
    this.#channel.close();
  }

  abort(reason: Error): void {
    if (this.#over !== undefined) return;
    this.#finish(() => asLoss(reason, this.peer), true);
    this.#subscription.unsubscribe();
    this.#channel.destroy();
  }

  /** Ends the connection in good order if nothing is open, else at once, after what was sent. */
  dispose(): void {
    if ([...this.#handles.all()].some(({ isOpen }) => isOpen)) {
      // A close that ends a service must reach it: the end of the channel does not always.
      this.#writer.flush();
      this.abort(endedHere(this.peer, 'cancelled'));
    } else this.close();
  }

  #controller(handle: number, kind: 'bytes' | 'packets'): StreamController {
    checkHandle(handle);
    const known = this.#handles.get(handle);
    if (known !== undefined) return known;
    const controller = this.#handles.open(handle, new StreamController(handle, this, kind));
    if (this.#handles.wasClosed(handle)) controller.complete();
    if (this.#over !== undefined) controller.lose(this.#over());
    return controller;
  }

  #protocolHandle(controller: StreamController): ProtocolHandle {
    return new TcpmProtocolHandle(controller, () => {
      this.#handles.forget(controller.handle);
    });
  }

  /**
   * The receiver of a frame. A frame for an unknown handle opens it; on a target that begins a
   * request.
   */
  #receiverOf(frame: Frame): StreamController | undefined {
    if (this.#over !== undefined) return undefined;
    const { handle, payload } = frame;
    const known = this.#handles.get(handle);
    if (known !== undefined || this.#handles.isRetired(handle)) return known;
    if (this.#handles.role === 'target') return this.#begin(frame);
    if (payload.length > 0)
      return this.#handles.open(handle, new StreamController(handle, this, 'bytes'));
    this.#handles.noteClose(handle);
    return undefined;
  }

  /** Begins a request in its turn. A close of an unknown handle means nothing on a target. */
  #begin(frame: Frame): StreamController | undefined {
    if (frame.payload.length === 0) return undefined;
    this.#fairness ??= new RequestFairness({
      nextTurn: this.#options.gather ? eventLoopTurn : timer(0),
      ready: this.ready,
      deliver: (waited) => {
        try {
          this.#receiverOf(waited)?.next(waited.payload);
        } catch (error) {
          this.abort(error as Error);
        }
      },
      changed: () => {
        this.#pauseOrResume();
      },
    });
    if (!this.#fairness.admit(frame)) return undefined;
    // The initiator's close does not end the exchange: an ACK after it still counts.
    const controller = new StreamController(frame.handle, this, 'packets', true);
    this.#handles.open(frame.handle, controller);
    this.#observers.opened(this.#protocolHandle(controller));
    return controller;
  }

  #pauseOrResume(): void {
    const mustPause = this.credit.isUsedUp || this.#fairness?.isWaiting === true;
    if (mustPause === this.#isPaused || this.#over !== undefined) return;
    this.#isPaused = mustPause;
    if (mustPause) this.#channel.pause();
    else this.#channel.resume();
  }

  /** The channel has ended, or what it brings cannot be decoded. */
  #conclude(error?: unknown): void {
    this.#fairness?.flush();
    if (this.#over === undefined) {
      const reason = (): AmandaError =>
        error === undefined ? hungUp(this.peer) : asLoss(error, this.peer);
      this.#finish(reason, error !== undefined);
    }
    this.#subscription.unsubscribe();
    this.#channel.close();
  }

  #finish(why: () => AmandaError, isBroken: boolean): void {
    let made: AmandaError | undefined;
    const reason = (): AmandaError => (made ??= why());
    this.#over = reason;
    this.#writer.end();
    this.#fairness?.stop();
    for (const controller of [...this.#handles.all()]) controller.lose(reason());
    this.#handles.clear();
    this.credit.end();
    this.#observers.over(isBroken ? reason() : undefined);
  }
}

/** A turn of the event loop. Virtual time has none, so `gather: false` uses a timer. */
const eventLoopTurn = new Observable<void>((out) => {
  const turn = setImmediate(() => {
    out.next();
  });
  return () => {
    clearImmediate(turn);
  };
});
