import type { OnReadOpts } from 'node:net';
import { HEADER_BYTES } from '../wire/frame-header.js';
import { prepareForMuch } from './much-memory.js';

/** The first buffer of a socket; most connections carry a few packets and no more. */
const FIRST_BYTES = 4_096;
/** The largest buffer: with 256 KiB a read takes half the processor time a byte that 64 KiB take. */
const MOST_BYTES = 262_144;
/**
 * Left free in front of what is read into a largest buffer: the beginning of a frame of 32 KiB, which ended the buffer before, can be put there
 * and need not be put together elsewhere.
 */
export const HEADROOM_BYTES = 32_768 + HEADER_BYTES;
/** A read below this is copied out, so that a short text does not keep a large buffer alive. */
const COPIED_BYTES = 8_192;

/**
 * Takes what a socket reads, without Node's stream between: one buffer serves several reads, none is
 * written to again, and their size grows with what the peer sends.
 *
 *     const reader = new SocketReader();
 *     const socket = connect({ host, port, onread: reader.onread });
 */
export class SocketReader {
  readonly onread: OnReadOpts;
  #size = FIRST_BYTES;
  #room = new Uint8Array(FIRST_BYTES);
  #next: ((chunk: Uint8Array) => void) | undefined;
  readonly #early: Uint8Array[] = [];

  constructor() {
    this.onread = {
      buffer: () => this.#room,
      callback: (length) => {
        this.#hand(this.#take(length));
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

  #hand(chunk: Uint8Array): void {
    if (this.#next === undefined) this.#early.push(chunk);
    else this.#next(chunk);
  }

  #take(length: number): Uint8Array {
    const room = this.#room;
    const isFull = length === room.length;
    if (length < COPIED_BYTES && !isFull) return room.slice(0, length);
    if (isFull) this.#size = Math.min(this.#size * 4, MOST_BYTES);
    const left = room.length - length;
    this.#room = left * 4 < this.#size ? roomOf(this.#size) : new Uint8Array(room.buffer, room.byteOffset + length, left);
    return new Uint8Array(room.buffer, room.byteOffset, length);
  }
}

function roomOf(size: number): Uint8Array<ArrayBuffer> {
  if (size === MOST_BYTES) prepareForMuch();
  const headroom = size === MOST_BYTES ? HEADROOM_BYTES : 0;
  return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer, headroom);
}
