import { asyncScheduler, type Subscription } from 'rxjs';

/**
 * A timer that is set and cleared often and seldom rings. Clearing leaves the scheduler's timer as it is, and setting it later than that does too: it
 * looks at the clock when its time has come.
 */
export class Alarm {
  readonly #ring: () => void;
  #timer: Subscription | undefined;
  /** When the scheduler's timer comes, and when to ring. */
  #comes = Infinity;
  #due = Infinity;
  /** What it was set to last. */
  #milliseconds = 0;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Rings once in so many milliseconds, and at no time that was set before. */
  set(milliseconds: number): void {
    this.#milliseconds = milliseconds;
    this.#due = asyncScheduler.now() + milliseconds;
    if (this.#due < this.#comes) this.#wait(milliseconds);
  }

  /** Does not ring before it is set again. */
  clear(): void {
    this.#due = Infinity;
  }

  /** Clears it and lets go of the scheduler's timer. */
  stop(): void {
    this.#due = Infinity;
    this.#comes = Infinity;
    this.#timer?.unsubscribe();
  }

  #wait(milliseconds: number): void {
    this.#timer?.unsubscribe();
    this.#comes = asyncScheduler.now() + milliseconds;
    this.#timer = asyncScheduler.schedule(() => {
      this.#hasCome();
    }, milliseconds);
  }

  #hasCome(): void {
    this.#comes = Infinity;
    if (this.#due === Infinity) return;
    const left = this.#due - asyncScheduler.now();
    // More than it was set to is left when the clock was set back meanwhile.
    if (left > 0) this.set(Math.min(left, this.#milliseconds));
    else this.#ring();
  }
}
