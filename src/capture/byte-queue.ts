/** Bytes that arrive in chunks cut anywhere and are taken in pieces of known size. What is taken is a view when it lies in one chunk, else a copy. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  /** The chunk that is next, and how far it is taken. */
  #first = 0;
  #at = 0;
  #length = 0;
  #toSkip = 0;
  #offset = 0;

  /** Bytes that can be taken. */
  get length(): number {
    return this.#length;
  }

  /** How many bytes were taken or skipped since the beginning; what is still to be skipped is counted. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes that were to be skipped and have not arrived. */
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

  /** The next bytes, or undefined while there are not so many. */
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

  /** Leaves out the next bytes, also those that have not arrived. */
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

  /** Forgets bytes at the front, all of one chunk. */
  #drop(size: number): void {
    this.#at += size;
    this.#length -= size;
    this.#offset += size;
    if (this.#at < (this.#chunks[this.#first]?.length ?? 0)) return;
    this.#at = 0;
    this.#first += 1;
    // Not one by one: a chunk may be a single byte.
    if (this.#first < 1024 && this.#length > 0) return;
    this.#chunks = this.#chunks.slice(this.#first);
    this.#first = 0;
  }
}
