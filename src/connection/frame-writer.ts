import type { Observable, Subscription } from 'rxjs';
import { SLAB_BYTES, hold, release, takeSlab } from '../transport/buffer-pool.js';
import type { Channel } from '../transport/channel.js';
import { HEADER_BYTES, writeHeader } from '../wire/frame-header.js';
import { DrainOrder } from './drain-order.js';

/**
 * Payloads up to this many bytes are copied beside their header; larger ones leave from where they
 * are.
 */
const SMALL_PAYLOAD = 2_048;

/**
 * Gathered bytes that are written before the tick ends: fifteen frames of 32 KiB. Fewer cost more
 * system calls; an even number ends in a short segment. Figures: docs/benchmarks.md, "Streams".
 */
const FLUSH_BYTES = 491_520;

const HEADER_SLAB_BYTES = 65_536;

/**
 * Headers and small payloads of all connections lie one after another in slabs that are never
 * rewritten.
 */
let slab = new Uint8Array(0);
let slabFill = 0;

/**
 * When a writer that gathers hands over its frames: calls back at the end of the tick, or in the
 * server's turn.
 */
export type Schedule = (write: () => void) => void;

const endOfTick = Promise.resolve();
/** A promise's job takes half as long as `queueMicrotask`. */
export const atEndOfTick: Schedule = (write) => void endOfTick.then(write);

/**
 * Puts frames on a channel: small ones together, header and payload in one vectored write, and all
 * that one tick produces at once.
 *
 * Memory of a payload is held until the channel has sent it.
 */
export class FrameWriter {
  readonly #channel: Channel;
  /** Absent: each frame is written at once, as virtual time needs it. */
  readonly #schedule: Schedule | undefined;
  readonly #headerBytes: number;
  readonly #ready = new DrainOrder();
  #parts: Uint8Array[] = [];
  #memory = slab;
  #from = 0;
  #to = 0;
  #gathered = 0;
  #backlog = 0;
  #isScheduled = false;
  /** Payloads and slabs that the channel may not have sent yet. */
  #unsent: Uint8Array[] = [];
  /** What is left of the slab in which frames for a channel with `framesApart` are put together. */
  #room: Uint8Array = new Uint8Array(0);
  #draining: Subscription | undefined;
  #isOver = false;

  /** `hasHeaders`: false where a channel carries one handle, and its payloads alone. */
  constructor(channel: Channel, schedule: Schedule | undefined, hasHeaders = true) {
    this.#channel = channel;
    this.#schedule = schedule;
    this.#headerBytes = hasHeaders ? HEADER_BYTES : 0;
  }

  /** False while the channel is saturated. */
  get isReady(): boolean {
    return this.#ready.value;
  }

  get ready(): Observable<boolean> {
    return this.#ready;
  }

  /** Bytes handed over since the channel became saturated. */
  get backlog(): number {
    return this.#backlog;
  }

  /** Sends one frame; a payload over 2 KiB must not change afterwards. */
  write(handle: number, payload: Uint8Array): void {
    if (this.#isOver) return;
    const isSmall = payload.length <= SMALL_PAYLOAD;
    const headerBytes = this.#headerBytes;
    const at = this.#reserve(isSmall ? headerBytes + payload.length : headerBytes);
    if (headerBytes > 0) writeHeader(slab, at, handle, payload.length);
    if (isSmall) {
      slab.set(payload, at + headerBytes);
    } else if (this.#channel.framesApart) {
      this.#parts.push(this.#joined(slab.subarray(at, at + headerBytes), payload));
      this.#from = this.#to;
    } else {
      this.#closeSegment();
      this.#parts.push(payload);
      hold(payload);
      this.#unsent.push(payload);
    }
    this.#gathered += headerBytes + payload.length;
    const gathers = this.#schedule !== undefined && !this.#channel.framesApart;
    if (!gathers || this.#gathered >= FLUSH_BYTES) this.flush();
    else if (!this.#isScheduled && this.#schedule !== undefined) this.#flushLater(this.#schedule);
  }

  /** Hands to the channel what has been gathered. */
  flush(): void {
    if (this.#gathered === 0 || this.#isOver) return;
    this.#closeSegment();
    const parts = this.#parts;
    const bytes = this.#gathered;
    this.#parts = [];
    this.#gathered = 0;
    const mayGoOn = this.#channel.write(parts);
    if (!this.isReady) this.#backlog += bytes;
    else if (!mayGoOn) this.#saturated();
    this.#releaseSent();
  }

  /** Nothing can be sent any more. */
  end(): void {
    this.#isOver = true;
    this.#draining?.unsubscribe();
    this.#parts = [];
    this.#ready.complete();
  }

  /** Waits for the channel's `drain`; most connections never get there. */
  #saturated(): void {
    this.#draining ??= this.#channel.drain.subscribe(() => {
      this.#backlog = 0;
      this.#releaseSent();
      this.#ready.set(true);
    });
    this.#ready.set(false);
  }

  #releaseSent(): void {
    // What is gathered has not been handed to the channel.
    if (this.#unsent.length === 0 || this.#gathered > 0 || !this.#channel.isIdle) return;
    for (const memory of this.#unsent) release(memory);
    this.#unsent = [];
    this.#room = this.#room.subarray(0, 0);
  }

  /** Header and payload in one piece. */
  #joined(header: Uint8Array, payload: Uint8Array): Uint8Array {
    const frame = this.#block(header.length + payload.length);
    frame.set(header);
    frame.set(payload, header.length);
    return frame;
  }

  /** Memory for a frame, in a slab if one is large enough. */
  #block(length: number): Uint8Array {
    if (length > SLAB_BYTES) return new Uint8Array(length);
    if (length > this.#room.length) {
      this.#room = takeSlab();
      this.#unsent.push(this.#room);
    }
    const block = this.#room.subarray(0, length);
    this.#room = this.#room.subarray(length);
    return block;
  }

  #flushLater(schedule: Schedule): void {
    this.#isScheduled = true;
    schedule(this.#flushNow);
  }

  readonly #flushNow = (): void => {
    this.#isScheduled = false;
    this.flush();
  };

  #reserve(bytes: number): number {
    if (slabFill + bytes > slab.length) {
      slab = new Uint8Array(HEADER_SLAB_BYTES);
      slabFill = 0;
    }
    if (this.#memory !== slab || this.#to !== slabFill) {
      this.#closeSegment();
      this.#memory = slab;
      this.#from = slabFill;
    }
    const at = slabFill;
    slabFill += bytes;
    this.#to = slabFill;
    return at;
  }

  #closeSegment(): void {
    if (this.#to > this.#from) this.#parts.push(this.#memory.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }
}
