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

  constructor() {
    super((subscriber) => this.#add(subscriber));
  }

  get value(): boolean {
    return this.#value;
  }

  set(value: boolean): void {
    if (this.#value === value || this.#isOver) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) {
      tell(listener, value);
      // It has used up the room, or another change came of it, which was told meanwhile to all whom it concerns.
      if (this.#value !== value) {
        if (value) this.#isLast(listener);
        return;
      }
    }
  }

  complete(): void {
    this.#isOver = true;
    for (const { subscriber } of this.#listeners.splice(0)) subscriber.complete();
  }

  #add(subscriber: Subscriber<boolean>): (() => void) | undefined {
    if (this.#isOver) {
      subscriber.complete();
      return undefined;
    }
    const listener = { subscriber, told: this.#value };
    this.#listeners.push(listener);
    subscriber.next(this.#value);
    return () => {
      this.#remove(listener);
    };
  }

  #isLast(listener: Listener): void {
    if (this.#listeners.length > 1 && this.#remove(listener)) this.#listeners.push(listener);
  }

  #remove(listener: Listener): boolean {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
    return at >= 0;
  }
}

interface Listener {
  readonly subscriber: Subscriber<boolean>;
  /** What it knows. */
  told: boolean;
}

function tell(listener: Listener, value: boolean): void {
  if (listener.told === value) return;
  listener.told = value;
  listener.subscriber.next(value);
}
