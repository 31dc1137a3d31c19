import { Observable, Subject, throwError, type Observer } from 'rxjs';
import { hold } from '../transport/buffer-pool.js';
import type { AmandaError } from '../wire/errors.js';
import type { Frame } from '../wire/frame.js';
import type { FrameObserver, ProtocolHandle } from './connection.js';

/**
 * The observers of a connection, besides the readers of its streams. These are taps and frame
 * observers, the target that answers on it, and callers that wait for its end.
 */
export class FrameObservers {
  /** Taps; few connections have any. */
  #received: Subject<Frame> | undefined;
  #sent: Subject<Frame> | undefined;
  /** Replaced, never changed: an observer may leave during a notification. */
  #observers: readonly { readonly frame: FrameObserver }[] = [];
  /** The handles that the peer opens, with those that came before the first subscriber. */
  readonly incoming: Observable<ProtocolHandle>;
  readonly #incoming = new Subject<ProtocolHandle>();
  readonly #unclaimed: ProtocolHandle[] = [];

  readonly #ended = new Subject<never>();
  #isOver = false;
  #reason: AmandaError | undefined;

  constructor() {
    this.incoming = new Observable((out) => {
      for (const handle of this.#unclaimed.splice(0)) out.next(handle);
      return this.#incoming.subscribe(out);
    });
  }

  get received(): Observable<Frame> {
    if (this.#received === undefined) {
      this.#received = new Subject();
      if (this.#isOver) end(this.#received, this.#reason);
    }
    return this.#received;
  }

  get sent(): Observable<Frame> {
    if (this.#sent === undefined) {
      this.#sent = new Subject();
      if (this.#isOver) this.#sent.complete();
    }
    return this.#sent;
  }

  get ended(): Observable<never> {
    return this.#ended;
  }

  /** Calls back for every frame from now on; returns how to stop. */
  observe(observer: FrameObserver): () => void {
    // An entry of its own, so that an observer that is added twice leaves twice.
    const own = { frame: observer };
    this.#observers = [...this.#observers, own];
    return () => {
      this.#observers = this.#observers.filter((one) => one !== own);
    };
  }

  /** A frame was received or sent. */
  frame(direction: 'received' | 'sent', frame: Frame): void {
    for (const { frame: observer } of this.#observers) notify(observer, direction, frame);
    const taps = direction === 'received' ? this.#received : this.#sent;
    if (taps?.observed !== true) return;
    // A tap may keep what it gets.
    hold(frame.payload);
    taps.next(frame);
  }

  /** The peer has opened a handle. */
  opened(handle: ProtocolHandle): void {
    if (this.#incoming.observed) this.#incoming.next(handle);
    else this.#unclaimed.push(handle);
  }

  /** The connection is over: in good order, or broken by a reason. */
  over(reason?: AmandaError): void {
    this.#isOver = true;
    this.#reason = reason;
    this.#incoming.complete();
    this.#sent?.complete();
    if (this.#received !== undefined) end(this.#received, reason);
    end(this.#ended, reason);
  }
}

/** Reports an observer's error as RxJS reports a subscriber's; the connection goes on. */
function notify(
  observer: FrameObserver,
  direction: 'received' | 'sent',
  { handle, payload }: Frame,
): void {
  try {
    observer(direction, handle, payload);
  } catch (error) {
    throwError(() => error).subscribe();
  }
}

function end(subject: Observer<never>, reason: AmandaError | undefined): void {
  if (reason === undefined) subject.complete();
  else subject.error(reason);
}
