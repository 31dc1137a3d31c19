import type { OnReadOpts } from 'node:net';
import { hold, release, takeSlab } from './buffer-pool.js';

/** Bytes of the first reads. Most connections carry a few packets and no more. */
const FIRST_BYTES = 4_096;
/**
 * A read below this is copied, so that a short text does not keep a slab alive. After a larger one
 * it stays in place: it may be the end of a frame, as the last TLS record of one is.
 */
const COPIED_BYTES = 8_192;

/**
 * Reads a socket into slabs, without a Node stream between. One slab serves several reads, and its
 * memory is used again when no chunk of it is held.
 *
 *     const reader = new SocketReader();
 *     const socket = connect({ host, port, onread: reader.onread });
 */
export class SocketReader {
  readonly onread: OnReadOpts;
  /** Where the next read goes. Reads into the first buffer are copied. */
  #room: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BYTES);
  /** The slab that is being filled; absent while reads are small. */
  #slab: Uint8Array | undefined;
  /** The previous slab, held one read longer: the decoder may still have a cut frame in it. */
  #lastSlab: Uint8Array | undefined;
  #next: ((chunk: Uint8Array) => void) | undefined;
  #wasLarge = false;
  readonly #early: Uint8Array[] = [];

  constructor() {
    this.onread = {
      buffer: () => this.#room,
      callback: (length) => {
        this.#take(length);
        return true;
      },
    };
  }

  /** Hands over what is read from now on, and what was read before; returns how to stop. */
  listen(next: (chunk: Uint8Array) => void): () => void {
    this.#next = next;
    for (const chunk of this.#early.splice(0)) next(chunk);
    return () => {
      this.#next = undefined;
    };
  }

  #take(length: number): void {
    const previous = this.#lastSlab;
    this.#lastSlab = undefined;
    const room = this.#room;
    const isFull = length === room.length;
    const isLarge = length >= COPIED_BYTES || isFull;
    const staysInPlace = isLarge || this.#wasLarge;
    this.#wasLarge = isLarge;
    if (this.#slab === undefined || !staysInPlace) {
      // A peer that fills the first room sends more than a few packets.
      if (isFull) this.#room = this.#slab = takeSlab();
      this.#deliver(room.slice(0, length));
    } else {
      if (room.length - length < COPIED_BYTES) this.#nextSlab();
      else this.#room = room.subarray(length);
      this.#deliver(room.subarray(0, length));
    }
    if (previous !== undefined) release(previous);
  }

  #nextSlab(): void {
    this.#lastSlab = this.#slab;
    this.#room = this.#slab = takeSlab();
  }

  #deliver(chunk: Uint8Array): void {
    if (this.#next !== undefined) {
      this.#next(chunk);
    } else {
      hold(chunk);
      this.#early.push(chunk);
    }
  }
}
