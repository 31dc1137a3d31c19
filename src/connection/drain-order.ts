import { Observable, type Subscriber } from 'rxjs';

/**
 * Whether a channel can take more, now and at each change.
 *
 *     channel  --(saturated)---(drained)--
 *     out      t-f-------------t----------
 *
 * Subscribers are notified in turns: the one that filled the channel last is notified last. Those
 * that come after the channel is full again are not notified.
 */
export class DrainOrder extends Observable<boolean> {
  #value = true;
  #isOver = false;
  readonly #listeners: Listener[] = [];
  /** The listener that filled the channel after the last drain. */
  #lastTaker: Listener | undefined;

  constructor() {
    super((subscriber) => this.#add(subscriber));
  }

  get value(): boolean {
    return this.#value;
  }

  set(value: boolean): void {
    if (this.#value === value || this.#isOver) return;
    this.#value = value;
    const first = this.#listeners.findIndex((listener) => listener === this.#lastTaker) + 1;
    for (const listener of [...this.#listeners.slice(first), ...this.#listeners.slice(0, first)]) {
      this.#notify(listener);
      // The channel is full again, or a nested change has notified the others.
      if (this.#value !== value) return;
    }
  }

  complete(): void {
    this.#isOver = true;
    for (const { subscriber } of [...this.#listeners]) subscriber.complete();
  }

  #add(subscriber: Subscriber<boolean>): (() => void) | undefined {
    if (this.#isOver) {
      subscriber.complete();
      return undefined;
    }
    const listener: Listener = { subscriber, notified: undefined };
    this.#listeners.push(listener);
    this.#notify(listener);
    return () => {
      this.#listeners.splice(this.#listeners.indexOf(listener), 1);
    };
  }

  #notify(listener: Listener): void {
    const value = this.#value;
    if (listener.notified === value) return;
    listener.notified = value;
    listener.subscriber.next(value);
    if (value && !this.#value) this.#lastTaker = listener;
  }
}

interface Listener {
  readonly subscriber: Subscriber<boolean>;
  /** The value it was notified of last. */
  notified: boolean | undefined;
}
