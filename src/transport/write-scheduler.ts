/** Milliseconds for which a write may wait for others. */
const MAX_WAIT = 1;

/** The clock and the event loop, replaceable for tests. */
export interface WriteSchedulerOptions {
  /** Milliseconds since any fixed moment. Default `performance.now`. */
  readonly now?: () => number;
  /** Calls back after the event loop has handled what is ready. Default `setImmediate`. */
  readonly nextTurn?: (callback: () => void) => void;
}

/**
 * Makes the connections of a server write in one go, instead of each as soon as it has something.
 *
 * Under load each write wakes a peer, which costs as much as the write itself. So writes are
 * collected until a turn of the event loop adds none, or for a millisecond at most.
 */
export class WriteScheduler {
  readonly #now: () => number;
  readonly #nextTurn: (callback: () => void) => void;
  #waiting: (() => void)[] = [];
  /** How many writes waited when the last turn ended. */
  #counted = 0;
  #until = 0;

  constructor({
    now = () => performance.now(),
    nextTurn = setImmediate,
  }: WriteSchedulerOptions = {}) {
    this.#now = now;
    this.#nextTurn = nextTurn;
  }

  /** Calls `write` with the others that wait. It must not throw. */
  readonly add = (write: () => void): void => {
    this.#waiting.push(write);
    if (this.#waiting.length > 1) return;
    this.#counted = 0;
    this.#until = this.#now() + MAX_WAIT;
    this.#nextTurn(this.#endTurn);
  };

  readonly #endTurn = (): void => {
    const { length } = this.#waiting;
    if (length > this.#counted && this.#now() < this.#until) {
      this.#counted = length;
      this.#nextTurn(this.#endTurn);
      return;
    }
    const due = this.#waiting;
    this.#waiting = [];
    for (const write of due) write();
  };
}

/** The writes of all connections that this process has accepted. */
export const acceptedWrites = new WriteScheduler();
