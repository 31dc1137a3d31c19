/**
 * Takes pieces of known size from chunks cut anywhere: a view of one chunk, or a copy of several.
 */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  /** The next chunk, and how many of its bytes are taken. */
  #first = 0;
  #at = 0;
  #length = 0;
  #toSkip = 0;
  #offset = 0;

  /** Bytes that can be taken. */
  get length(): number {
    return this.#length;
  }

  /** Bytes taken or skipped since the start, including those that are still to be skipped. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes to skip that have not arrived yet. */
  get toSkip(): number {
    return this.#toSkip;
  }

  push(chunk: Uint8Array): void {
    const skipped = Math.min(this.#toSkip, chunk.length);
    this.#toSkip -= skipped;
    if (skipped === chunk.length) return;
    this.#chunks.push(skipped === 0 ? chunk : chunk.subarray(skipped));
    this.#length += chunk.length - skipped;
  }

  /** The next bytes; undefined while fewer have arrived. */
  take(size: number): Uint8Array | undefined {
    if (this.#length < size) return undefined;
    const chunk = this.#chunks[this.#first];
    if (chunk !== undefined && chunk.length - this.#at >= size) {
      const view = chunk.subarray(this.#at, this.#at + size);
      this.#drop(size);
      return view;
    }
    const bytes = new Uint8Array(size);
    for (let fill = 0; fill < size;) {
      const piece =
        this.#chunks[this.#first]?.subarray(this.#at, this.#at + size - fill) ??
        bytes.subarray(fill);
      bytes.set(piece, fill);
      this.#drop(piece.length);
      fill += piece.length;
    }
    return bytes;
  }

  /** Skips the next bytes, even if they have not arrived yet. */
  skip(size: number): void {
    const present = Math.min(size, this.#length);
    this.#toSkip += size - present;
    this.#offset += size - present;
    for (let left = present; left > 0;) {
      const piece = Math.min(left, (this.#chunks[this.#first]?.length ?? 0) - this.#at);
      this.#drop(piece);
      left -= piece;
    }
  }

  /** Drops bytes of the first chunk. */
  #drop(size: number): void {
    this.#at += size;
    this.#length -= size;
    this.#offset += size;
    if (this.#at < (this.#chunks[this.#first]?.length ?? 0)) return;
    this.#at = 0;
    this.#first += 1;
    // In batches: a chunk may be a single byte.
    if (this.#first < 1024 && this.#length > 0) return;
    this.#chunks = this.#chunks.slice(this.#first);
    this.#first = 0;
  }
}
