import { Observable, type Subscriber } from 'rxjs';

/**
 * Whether a channel can take more, now and at each change.
 *
 *     channel  --(saturated)---(drained)--
 *     out      t-f-------------t----------
 *
 * Whoever is told first that there is room may use up all of it at once. The next time it is told last, so that no sender keeps
 * others from sending; who is not reached before the room is gone is told nothing.
 */
export class Readiness extends Observable<boolean> {
  #value = true;
  #isOver = false;
  readonly #listeners: Listener[] = [];
  /** Who took what room there was. */
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
      this.#tell(listener);
      // The room is gone again, or another change came of it, which was told meanwhile to all whom it concerns.
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
    const listener: Listener = { subscriber, told: undefined };
    this.#listeners.push(listener);
    this.#tell(listener);
    return () => {
      this.#listeners.splice(this.#listeners.indexOf(listener), 1);
    };
  }

  #tell(listener: Listener): void {
    const value = this.#value;
    if (listener.told === value) return;
    listener.told = value;
    listener.subscriber.next(value);
    if (value && !this.#value) this.#lastTaker = listener;
  }
}

interface Listener {
  readonly subscriber: Subscriber<boolean>;
  /** What it knows. */
  told: boolean | undefined;
}
