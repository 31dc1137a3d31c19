import { filter, switchMap, take, type Observable, type Subscription } from 'rxjs';
import { Fifo } from '../transport/fifo.js';
import type { Frame } from '../wire/frame.js';

/** Requests of one connection that begin in one turn. */
const PER_TURN = 8;

/** The connection whose requests take turns. */
export interface RequestOwner {
  /** Emits when the event loop has come round. */
  readonly nextTurn: Observable<unknown>;
  /** Whether answers can leave, now and at each change. */
  readonly ready: Observable<boolean>;
  /** Delivers a frame that has waited. */
  deliver(frame: Frame): void;
  /** Some frames wait now, or none does any more. */
  changed(): void;
}

/**
 * Makes the requests of a target's connections take turns.
 *
 *     requests  (abcdefghij)-------
 *     begun     (abcdefgh)---(ij)--      eight a turn of the event loop
 *     paused    ^------------!           the channel, while others wait
 *
 * A turn ends when the event loop has come round and the answers can leave. A connection that takes
 * no answers is therefore not read from.
 */
export class RequestFairness {
  readonly #owner: RequestOwner;
  readonly #endOfTurn: Observable<unknown>;
  /** Frames of requests that have not begun, in the order in which they arrived. */
  readonly #waiting = new Fifo<Frame>();
  /** The frame that is delivered after it has waited. */
  #current: Frame | undefined;
  #begun = 0;
  #perTurn = PER_TURN;
  #turn: Subscription | undefined;

  constructor(owner: RequestOwner) {
    this.#owner = owner;
    this.#endOfTurn = owner.nextTurn.pipe(
      switchMap(() => owner.ready),
      filter(Boolean),
      take(1),
    );
  }

  /** Whether frames wait for their turn. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /**
   * Whether a request may begin with this frame now. If not, the frame is delivered in a later
   * turn.
   */
  admit(frame: Frame): boolean {
    const isNext = !this.isWaiting || frame === this.#current;
    if (isNext && this.#begun < this.#perTurn) {
      if (this.#begun === 0) this.#turn = this.#endOfTurn.subscribe(() => this.#nextTurn());
      this.#begun += 1;
      return true;
    }
    // A copy, because the memory of a delivered frame is used again.
    this.#waiting.push({ ...frame, payload: frame.payload.slice() });
    if (this.#waiting.size === 1) this.#owner.changed();
    return false;
  }

  /** Delivers all that waits: the channel has ended, and nothing more will arrive. */
  flush(): void {
    this.#perTurn = Infinity;
    this.#deliver();
  }

  /** Drops what waits. */
  stop(): void {
    this.#waiting.clear();
    this.#turn?.unsubscribe();
  }

  #nextTurn(): void {
    this.#begun = 0;
    if (!this.isWaiting) return;
    this.#deliver();
    if (!this.isWaiting) this.#owner.changed();
  }

  #deliver(): void {
    while (this.#begun < this.#perTurn) {
      const frame = this.#waiting.shift();
      if (frame === undefined) break;
      this.#current = frame;
      this.#owner.deliver(frame);
    }
    this.#current = undefined;
  }
}
