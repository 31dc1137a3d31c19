import { Fifo } from './fifo.js';

/** Chunks that wait for their reader, in order. Behind the last there may be memory with room for those that come next, which then are one chunk. */
export class WaitingChunks {
  readonly #chunks = new Fifo<Uint8Array>();
  #open: Uint8Array | undefined;
  #fill = 0;

  get size(): number {
    return this.#chunks.size + (this.#open === undefined ? 0 : 1);
  }

  push(chunk: Uint8Array): void {
    this.#close();
    this.#chunks.push(chunk);
  }

  /** Takes in a copy at the end where there is room for it; whether there was. */
  append(chunk: Uint8Array): boolean {
    if (this.#open === undefined || this.#open.length - this.#fill < chunk.length) return false;
    this.#open.set(chunk, this.#fill);
    this.#fill += chunk.length;
    return true;
  }

  /** Has memory at the end for copies of this chunk and of others. */
  begin(memory: Uint8Array, chunk: Uint8Array): void {
    this.#close();
    this.#open = memory;
    this.append(chunk);
  }

  shift(): Uint8Array | undefined {
    if (this.#chunks.size === 0) this.#close();
    return this.#chunks.shift();
  }

  /** Puts a chunk back in front. */
  unshift(chunk: Uint8Array): void {
    this.#chunks.unshift(chunk);
  }

  clear(): void {
    this.#chunks.clear();
    this.#open = undefined;
    this.#fill = 0;
  }

  #close(): void {
    if (this.#open !== undefined) this.#chunks.push(this.#open.subarray(0, this.#fill));
    this.#open = undefined;
    this.#fill = 0;
  }
}
