import { asyncScheduler } from 'rxjs';
import { admissionLimits } from './admission-limits.js';
import { networkOf } from './eviction-policy.js';

interface Refusals {
  readonly count: number;
  /** Milliseconds on the clock. */
  readonly at: number;
}

/**
 * Delays for networks that are refused again and again, as sshd penalises them.
 *
 * The count of a network falls with time. All addresses of one machine share it: an IPv4 address,
 * or the first 64 bits of an IPv6 one.
 */
export class AddressPenalties {
  /** Those refused longest ago first. */
  readonly #networks = new Map<string, Refusals>();

  /** Counts a refusal of a numeric address. */
  refused(address: string): void {
    const network = networkOf(address);
    const count = Math.min(this.#countOf(network) + 1, admissionLimits.countedRefusals);
    this.#networks.delete(network);
    this.#networks.set(network, { count, at: asyncScheduler.now() });
    const [oldest] = this.#networks.keys();
    if (this.#networks.size > admissionLimits.networks && oldest !== undefined)
      this.#networks.delete(oldest);
  }

  /** Milliseconds that an answer to the address has to wait. */
  delayOf(address: string): number {
    const { freeRefusals, delayStep, maxDelay } = admissionLimits;
    const excess = this.#countOf(networkOf(address)) - freeRefusals;
    return Math.min(Math.max(0, excess * delayStep), maxDelay);
  }

  #countOf(network: string): number {
    const { count = 0, at = 0 } = this.#networks.get(network) ?? {};
    // The clock may have been set back.
    const seconds = Math.max(0, asyncScheduler.now() - at) / 1_000;
    return Math.max(0, count - seconds * admissionLimits.forgottenPerSecond);
  }
}
