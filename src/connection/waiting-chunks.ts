import { Fifo } from '../transport/fifo.js';

/** Memory that waits to be filled again. */
const MOST_FREE = 2;

/** Chunks that wait for their reader, in order. Behind the last there may be memory with room for those that come next, which then are one chunk. */
export class WaitingChunks {
  readonly #chunks = new Fifo<Uint8Array>();
  #open: Uint8Array | undefined;
  #fill = 0;
  /** Memory of this that is in the reader's hands; not there where the reader keeps what it gets. */
  #lent: WeakSet<ArrayBufferLike> | undefined;
  readonly #free: ArrayBuffer[] = [];

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

  /** Has memory of so many bytes at the end for copies of this chunk and of others. */
  begin(bytes: number, chunk: Uint8Array): void {
    this.#close();
    const free = this.#free.at(-1)?.byteLength === bytes ? this.#free.pop() : undefined;
    this.#open = new Uint8Array(free ?? Buffer.allocUnsafeSlow(bytes).buffer);
    this.#lent?.add(this.#open.buffer);
    this.append(chunk);
  }

  /** The reader will say what it does not need any more. */
  lend(): void {
    this.#lent = new WeakSet();
  }

  /** Takes back memory that was set aside here; whether it was. */
  reuse({ buffer }: Uint8Array): boolean {
    if (this.#lent?.delete(buffer) !== true) return false;
    if (buffer instanceof ArrayBuffer && buffer.byteLength > 0) {
      if (this.#free.length === MOST_FREE) this.#free.shift();
      this.#free.push(buffer);
    }
    return true;
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
    this.#lent = undefined;
    this.#free.length = 0;
  }

  #close(): void {
    if (this.#open !== undefined) this.#chunks.push(this.#open.subarray(0, this.#fill));
    this.#open = undefined;
    this.#fill = 0;
  }
}
