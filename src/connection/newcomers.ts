import type { Credit } from './inbox.js';

/** Requests that are taken from one connection before others have their turn. */
const A_TURN = 8;

/**
 * Makes a target take turns: what begins on a connection is charged to its budget until the event loop has come round, so that a
 * connection with a storm of requests is not read from while others wait. A request costs as much as a thousand frames of a stream.
 */
export class Newcomers {
  readonly #credit: Credit;
  readonly #charge: number;
  #charged = 0;

  /** `budget`: that of the connection, in bytes. */
  constructor(credit: Credit, budget: number) {
    this.#credit = credit;
    this.#charge = Math.ceil((budget + 1) / A_TURN);
  }

  came(): void {
    if (this.#charged === 0) setImmediate(this.#nextTurn);
    this.#charged += this.#charge;
    this.#credit.hold(this.#charge);
  }

  readonly #nextTurn = (): void => {
    const charged = this.#charged;
    this.#charged = 0;
    this.#credit.release(charged);
  };
}
