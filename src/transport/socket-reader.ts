import type { OnReadOpts } from 'node:net';
import type { ChannelMemory } from './channel.js';
import { HEADROOM_BYTES, LARGE_BYTES, LargeBuffers } from './large-buffers.js';

/** The first buffer of a socket; most connections carry a few packets and no more. */
const FIRST_BYTES = 4_096;
const LAST_SMALL_BYTES = 65_536;
/** A read below this is copied out, so that a short text does not keep a large buffer alive. */
const COPIED_BYTES = 8_192;
/** Parts of shorter frames are put together for less than it costs to avoid it. */
const WHOLE_BYTES = 4_096;

/**
 * Takes what a socket reads, without Node's stream between: one buffer serves several reads, their size grows with what the peer sends, and no byte is
 * written to again that was not given back.
 *
 *     const reader = new SocketReader();
 *     const socket = connect({ host, port, onread: reader.onread });
 */
export class SocketReader implements ChannelMemory {
  readonly onread: OnReadOpts;
  readonly headroom = HEADROOM_BYTES;
  #size = FIRST_BYTES;
  #room = new Uint8Array(FIRST_BYTES);
  #next: ((chunk: Uint8Array) => void) | undefined;
  readonly #early: Uint8Array[] = [];
  /** There once the buffers are as large as they get; most connections carry too little. */
  #large: LargeBuffers | undefined;
  /** Where frames end, as far as it is known. */
  #missing = 0;
  #frameSize = 0;

  constructor() {
    this.onread = {
      buffer: () => (this.#room = this.#wholeFrames(this.#room)),
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

  /** Says that nobody needs the bytes from `start` to `end` of memory that was handed over any more, each byte once at the most. */
  giveBack(memory: ArrayBufferLike, start: number, end: number): void {
    this.#large?.giveBack(memory, start, end, memory !== this.#room.buffer);
  }

  expect(missing: number, size: number): void {
    this.#missing = missing;
    this.#frameSize = size;
  }

  /** What of a room whole frames fill: a frame that two buffers share has to be put together. */
  #wholeFrames(room: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const behind = room.length - this.#missing;
    const size = this.#frameSize;
    if (size < WHOLE_BYTES || size > behind) return room;
    const part = behind % size;
    return part === 0 ? room : room.subarray(0, room.length - part);
  }

  #hand(chunk: Uint8Array): void {
    if (this.#next === undefined) this.#early.push(chunk);
    else this.#next(chunk);
  }

  #take(length: number): Uint8Array {
    const room = this.#room;
    const isFull = length === room.length;
    if (length < COPIED_BYTES && !isFull) return room.slice(0, length);
    if (isFull) this.#size = this.#size < LAST_SMALL_BYTES ? this.#size * 4 : LARGE_BYTES;
    this.#large?.handOver(room.buffer, length);
    const left = room.length - length;
    this.#room =
      left * 4 < this.#size
        ? this.#nextRoom()
        : new Uint8Array(room.buffer, room.byteOffset + length, left);
    return new Uint8Array(room.buffer, room.byteOffset, length);
  }

  #nextRoom(): Uint8Array<ArrayBuffer> {
    if (this.#size < LARGE_BYTES) return new Uint8Array(Buffer.allocUnsafeSlow(this.#size).buffer);
    return (this.#large ??= new LargeBuffers()).next();
  }
}
