/** Whether a target is to stop, and whom to tell when it is: one set for all its connections, since each comes and goes alone. */
export class Stopping {
  readonly #listeners = new Set<() => void>();
  #hasBegun = false;

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    for (const tell of [...this.#listeners]) tell();
  }

  /** Calls `tell` when it begins. Returns how not to. */
  tell(tell: () => void): () => void {
    this.#listeners.add(tell);
    return () => {
      this.#listeners.delete(tell);
    };
  }
}
