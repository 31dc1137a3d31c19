import { filter, take } from 'rxjs';
import type { Carrier } from './stream.js';

/** Requests that are taken from one connection before others have their turn. */
const A_TURN = 8;

/**
 * Makes a target take turns: what begins on a connection is charged to its budget until the event loop has come round and what was
 * answered can leave. A connection with a storm of requests is not read from while others wait, and one that takes no answers is not
 * read from at all.
 */
export class Newcomers {
  readonly #carrier: Pick<Carrier, 'hold' | 'release' | 'isReady' | 'ready'>;
  readonly #charge: number;
  #charged = 0;

  /** `budget`: that of the connection, in bytes. */
  constructor(carrier: Pick<Carrier, 'hold' | 'release' | 'isReady' | 'ready'>, budget: number) {
    this.#carrier = carrier;
    this.#charge = Math.ceil((budget + 1) / A_TURN);
  }

  came(): void {
    if (this.#charged === 0) setImmediate(this.#nextTurn);
    this.#charged += this.#charge;
    this.#carrier.hold(this.#charge);
  }

  readonly #nextTurn = (): void => {
    if (this.#carrier.isReady) this.#release();
    else
      this.#carrier.ready.pipe(filter(Boolean), take(1)).subscribe(() => {
        this.#release();
      });
  };

  #release(): void {
    const charged = this.#charged;
    this.#charged = 0;
    this.#carrier.release(charged);
  }
}
