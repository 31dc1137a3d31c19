import { asyncScheduler, type Subscription } from 'rxjs';

/**
 * A timer for a deadline that moves often and rarely passes.
 *
 * Clearing it, or moving the deadline later, leaves the scheduler's timer alone: when that timer
 * fires, it compares the clock with the deadline.
 */
export class LazyTimer {
  readonly #expired: () => void;
  #timer: Subscription | undefined;
  /** When the scheduler's timer fires. */
  #firesAt = Infinity;
  #deadline = Infinity;
  /** What it was set to last. */
  #milliseconds = 0;

  constructor(expired: () => void) {
    this.#expired = expired;
  }

  /** Expires once, in so many milliseconds; replaces an earlier deadline. */
  set(milliseconds: number): void {
    this.#milliseconds = milliseconds;
    this.#deadline = asyncScheduler.now() + milliseconds;
    if (this.#deadline < this.#firesAt) this.#schedule(milliseconds);
  }

  /** Removes the deadline. */
  clear(): void {
    this.#deadline = Infinity;
  }

  /** Removes the deadline and the scheduler's timer. */
  stop(): void {
    this.#deadline = Infinity;
    this.#firesAt = Infinity;
    this.#timer?.unsubscribe();
  }

  #schedule(milliseconds: number): void {
    this.#timer?.unsubscribe();
    this.#firesAt = asyncScheduler.now() + milliseconds;
    this.#timer = asyncScheduler.schedule(() => {
      this.#fired();
    }, milliseconds);
  }

  #fired(): void {
    this.#firesAt = Infinity;
    if (this.#deadline === Infinity) return;
    const left = this.#deadline - asyncScheduler.now();
    // When the clock was set back, more may be left than the timer was set to.
    if (left > 0) this.set(Math.min(left, this.#milliseconds));
    else this.#expired();
  }
}
