import { asyncScheduler } from 'rxjs';

/** A map whose entries expire, and whose oldest entry makes room when it is full. */
export class ExpiringMap<Value> {
  readonly #within: number;
  readonly #most: number;
  readonly #entries = new Map<string, { readonly setAt: number; readonly value: Value }>();

  /** An entry is valid for `within` milliseconds; `most` of them are kept. */
  constructor(within: number, most: number) {
    this.#within = within;
    this.#most = most;
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const age = asyncScheduler.now() - entry.setAt;
    // The age is negative after the clock was set back.
    return age >= 0 && age < this.#within ? entry.value : undefined;
  }

  set(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, { setAt: asyncScheduler.now(), value });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#most) return;
      this.#entries.delete(oldest);
    }
  }
}
