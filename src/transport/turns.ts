/** Milliseconds for which something to be sent may wait for others. */
const MOST_MS = 1;

/** What of the process it goes by. */
export interface TurnsOptions {
  /** Milliseconds, from any moment on. Default `performance.now`. */
  readonly now?: () => number;
  /** Calls back when the event loop has done what is there to be done. Default `setImmediate`. */
  readonly nextTurn?: (callback: () => void) => void;
}

/**
 * Has the connections of a server send one behind the other, instead of each as soon as it has something to send.
 *
 * A server that has more to do than its peers finds them asleep, and to wake one costs as much as to send; whoever was woken a moment ago is awake still. What waits is sent when a
 * turn of the event loop passes in which nothing was added, so at once where there is little to do, or when it has waited for a millisecond.
 */
export class Turns {
  readonly #now: () => number;
  readonly #nextTurn: (callback: () => void) => void;
  #waiting: (() => void)[] = [];
  /** How many waited when the last turn ended. */
  #counted = 0;
  #until = 0;

  constructor({ now = () => performance.now(), nextTurn = setImmediate }: TurnsOptions = {}) {
    this.#now = now;
    this.#nextTurn = nextTurn;
  }

  /** Has something sent with what else is waiting. It must not throw. */
  readonly add = (send: () => void): void => {
    this.#waiting.push(send);
    if (this.#waiting.length > 1) return;
    this.#counted = 0;
    this.#until = this.#now() + MOST_MS;
    this.#nextTurn(this.#ends);
  };

  readonly #ends = (): void => {
    const { length } = this.#waiting;
    if (length > this.#counted && this.#now() < this.#until) {
      this.#counted = length;
      this.#nextTurn(this.#ends);
      return;
    }
    const due = this.#waiting;
    this.#waiting = [];
    for (const send of due) send();
  };
}

/** Those of all sockets that this process has accepted. */
export const acceptedTurns = new Turns();
