import { Observable, defer, finalize, map, of, throwError, timer } from 'rxjs';
import { AmandaError } from '../../wire/errors.js';
import { AddressPenalties } from '../address-penalties.js';
import { admissionLimits } from '../admission-limits.js';
import { networkOf } from '../eviction-policy.js';

/**
 * Bounds the handshakes of networks whose handshakes fail again and again.
 *
 * Each of these begins after a delay, and only so many wait at the same time. A handshake costs
 * about a millisecond of processor time, so that is a share of it for each network.
 */
export class DelayedHandshakes {
  readonly #penalties = new AddressPenalties();
  /** How many wait, for each network. */
  readonly #waiting = new Map<string, number>();

  /** Counts a failed handshake. */
  failed(address: string): void {
    this.#penalties.refused(address);
  }

  /** Emits when a handshake may begin. Errors with `TOO_MANY_CONNECTIONS` when too many wait. */
  turn(address: string): Observable<void> {
    return defer(() => {
      const delay = this.#penalties.delayOf(address);
      if (delay === 0) return of(undefined);
      const network = networkOf(address);
      const waiting = this.#waiting.get(network) ?? 0;
      if (waiting >= admissionLimits.delayedHandshakes)
        return throwError(
          () =>
            new AmandaError(
              'TOO_MANY_CONNECTIONS',
              `Too many handshakes of ${address} have failed, and ${waiting} of its connections wait for theirs.`,
              { peer: address },
            ),
        );
      this.#waiting.set(network, waiting + 1);
      return timer(delay).pipe(
        map(() => undefined),
        finalize(() => {
          this.#leave(network);
        }),
      );
    });
  }

  #leave(network: string): void {
    const left = (this.#waiting.get(network) ?? 1) - 1;
    if (left === 0) this.#waiting.delete(network);
    else this.#waiting.set(network, left);
  }
}
