/** Counts the entries of an index: each line is a path, and a directory ends with `/`. */
export class IndexCount {
  #files = 0;
  #directories = 0;
  #last = NEWLINE;

  get files(): number {
    return this.#files;
  }

  get directories(): number {
    return this.#directories;
  }

  /** Takes the next bytes of the index, cut anywhere. */
  push(chunk: Uint8Array): void {
    for (let start = 0; start < chunk.length;) {
      const newline = chunk.indexOf(NEWLINE, start);
      const end = newline < 0 ? chunk.length : newline;
      if (end > start) this.#last = chunk[end - 1] ?? NEWLINE;
      if (newline < 0) return;
      this.#count();
      start = newline + 1;
    }
  }

  /** Counts a last line without a newline. */
  finish(): void {
    this.#count();
  }

  #count(): void {
    if (this.#last === SLASH) this.#directories++;
    else if (this.#last !== NEWLINE) this.#files++;
    this.#last = NEWLINE;
  }
}

const NEWLINE = 0x0a;
const SLASH = 0x2f;
