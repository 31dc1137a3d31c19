/** The period that a rate is averaged over, in milliseconds. */
const PERIOD = 2_000;

interface Count {
  readonly at: number;
  readonly in: number;
  readonly out: number;
}

/** Computes the rate of bytes each way from growing counts. */
export class RateMeter {
  #counts: Count[] = [];

  /** Records the counts at a time in milliseconds. */
  count(at: number, bytesIn: number, bytesOut: number): void {
    const last = this.#counts.at(-1);
    if (last !== undefined && (last.at > at || last.in > bytesIn || last.out > bytesOut)) return;
    const now = { at, in: bytesIn, out: bytesOut };
    // A resolution of a tenth of the period is enough.
    const before = this.#counts.at(-2);
    if (before !== undefined && at - before.at < PERIOD / 10)
      this.#counts[this.#counts.length - 1] = now;
    else this.#counts.push(now);
    // The last count before the period is kept as the base.
    const first = this.#counts.findLastIndex((one) => one.at <= at - PERIOD);
    if (first > 0) this.#counts = this.#counts.slice(first);
  }

  /** Bytes a second at a time in milliseconds. Bytes of the first count do not contribute. */
  rate(at: number): { readonly in: number; readonly out: number } {
    const last = this.#counts.at(-1);
    const base = this.#counts.findLast((one) => one.at <= at - PERIOD) ?? this.#counts[0];
    if (last === undefined || base === undefined || last === base) return { in: 0, out: 0 };
    const seconds = Math.max(PERIOD / 4, Math.min(PERIOD, at - base.at)) / 1_000;
    return { in: (last.in - base.in) / seconds, out: (last.out - base.out) / seconds };
  }
}
