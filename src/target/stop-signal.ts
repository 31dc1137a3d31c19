/**
 * Says whether a target is stopping, and notifies its connections when it begins to.
 *
 * One set serves all connections: an idle connection then costs one entry.
 */
export class StopSignal {
  readonly #listeners = new Set<() => void>();
  #isStopping = false;

  get isStopping(): boolean {
    return this.#isStopping;
  }

  stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Calls the listener when the target begins to stop. Returns what removes it. */
  onStop(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
