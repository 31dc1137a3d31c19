import { HEADER_BYTES } from '../wire/frame-header.js';
import { prepareForMuch } from './much-memory.js';

/** A frame of real Amanda's streams, and of ours by default. */
const FRAME_BYTES = 32_768 + HEADER_BYTES;
/**
 * Left free in front of what is read into a large buffer: the beginning of such a frame, which ended the buffer before, can be put there
 * and need not be put together elsewhere.
 */
export const HEADROOM_BYTES = FRAME_BYTES;
/** Besides that, seven such frames. A read of some 256 KiB takes half the processor time a byte that one of 64 takes. */
export const LARGE_BYTES = HEADROOM_BYTES + 7 * FRAME_BYTES;
/** Buffers that wait to be read into again. */
const MOST_FREE = 4;

/**
 * The buffers of a socket from which much comes. One is read into again when each byte that was handed over of it has been given back; of those that
 * nobody gives back the collector takes care.
 */
export class LargeBuffers {
  /** Bytes of a buffer that were handed over and not given back. A buffer that is forgotten here is never read into again. */
  readonly #owed = new WeakMap<ArrayBufferLike, number>();
  readonly #free: ArrayBuffer[] = [];

  constructor() {
    prepareForMuch();
  }

  /** Where the next bytes go, behind the headroom. */
  next(): Uint8Array<ArrayBuffer> {
    const buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES).buffer;
    this.#owed.set(buffer, 0);
    return new Uint8Array(buffer, HEADROOM_BYTES);
  }

  /** So many more bytes of a buffer are about to be handed over. */
  handOver(buffer: ArrayBufferLike, bytes: number): void {
    const owed = this.#owed.get(buffer);
    if (owed !== undefined) this.#owed.set(buffer, owed + bytes);
  }

  /** The bytes from `start` to `end` are not needed any more. `isFull`: nothing more will be read into their buffer as it is. */
  giveBack(buffer: ArrayBufferLike, start: number, end: number, isFull: boolean): void {
    const owed = this.#owed.get(buffer);
    if (owed === undefined) return;
    const left = owed - (end - Math.max(start, HEADROOM_BYTES));
    this.#owed.set(buffer, left);
    if (left !== 0 || !isFull) return;
    this.#owed.delete(buffer);
    // One that somebody has transferred has no bytes left.
    if (
      buffer instanceof ArrayBuffer &&
      buffer.byteLength === LARGE_BYTES &&
      this.#free.length < MOST_FREE
    )
      this.#free.push(buffer);
  }
}
