import type { Writable } from 'node:stream';

/** An output with back-pressure: `write` at any time, and await `drained()` in between. */
export class PacedOutput {
  readonly #output: Writable;
  readonly #onGone: () => void;
  #isFull = false;
  #isGone = false;

  /** `onGone` is called when the reader has gone, as after `| head`. */
  constructor(output: Writable, onGone: () => void) {
    this.#output = output;
    this.#onGone = onGone;
  }

  write(text: string): void {
    if (!this.#isGone && !this.#output.write(text)) this.#isFull = true;
  }

  /** Resolves when there is room again, or when there never will be. */
  async drained(): Promise<void> {
    if (this.#isFull && !this.#hasGone()) await this.#room();
    this.#isFull = false;
    if (this.#isGone || !this.#hasGone()) return;
    this.#isGone = true;
    this.#onGone();
  }

  #hasGone(): boolean {
    return this.#output.destroyed || this.#output.errored !== null;
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      const names = ['drain', 'close', 'error'] as const;
      const done = (): void => {
        for (const name of names) this.#output.off(name, done);
        resolve();
      };
      for (const name of names) this.#output.once(name, done);
    });
  }
}
