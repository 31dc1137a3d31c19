import type { Observable, Subscription } from 'rxjs';
import { HEADER_BYTES, writeHeader } from '../wire/frame-header.js';
import type { Channel } from '../transport/channel.js';
import { Readiness } from './readiness.js';

/** Payloads up to this many bytes are copied beside their header; larger ones leave from where they are. */
const SMALL_PAYLOAD = 2_048;

/**
 * Gathered bytes that are written without waiting for the end of the tick: fifteen frames of 32 KiB. One at a time costs a system call and a
 * wake-up of the receiver each. An even number is a few bytes longer than the segments of 64 KiB that the kernel makes, and each write
 * then ends in a segment of its own for those few. Where the kernel paces what it sends (BBR), a write costs a timer or two besides: with three frames
 * it gets half as far.
 */
const FLUSH_BYTES = 491_520;

const SLAB_BYTES = 65_536;

const endOfTick = Promise.resolve();

/** Headers and small payloads of all connections are laid one behind the other in slabs; none of it is used twice. */
let slab = new Uint8Array(0);
let slabFill = 0;

/**
 * Puts frames on a channel: small ones together, header and payload in one vectored write, all that
 * one tick produces at once, or when the channel says.
 */
export class FrameWriter {
  readonly #channel: Channel;
  readonly #gather: boolean;
  readonly #ready = new Readiness();
  #parts: Uint8Array[] = [];
  #memory = slab;
  #from = 0;
  #to = 0;
  #gathered = 0;
  #backlog = 0;
  #scheduled = false;
  #draining: Subscription | undefined;
  #ended = false;

  constructor(channel: Channel, gather: boolean) {
    this.#channel = channel;
    this.#gather = gather;
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

  readonly #tickEnds = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  /** Sends one frame; a payload over 2 KiB must not change afterwards. */
  write(handle: number, payload: Uint8Array): void {
    if (this.#ended) return;
    const small = payload.length <= SMALL_PAYLOAD;
    const at = this.#reserve(small ? HEADER_BYTES + payload.length : HEADER_BYTES);
    writeHeader(slab, at, handle, payload.length);
    if (small) {
      slab.set(payload, at + HEADER_BYTES);
    } else {
      this.#closeSegment();
      this.#parts.push(payload);
    }
    this.#gathered += HEADER_BYTES + payload.length;
    if (!this.#gather || this.#gathered >= FLUSH_BYTES) this.flush();
    else if (!this.#scheduled) this.#schedule();
  }

  /** Hands to the channel what has been gathered. */
  flush(): void {
    if (this.#gathered === 0 || this.#ended) return;
    this.#closeSegment();
    const parts = this.#parts;
    const bytes = this.#gathered;
    this.#parts = [];
    this.#gathered = 0;
    const more = this.#channel.write(parts);
    if (!this.isReady) this.#backlog += bytes;
    else if (!more) this.#saturated();
  }

  /** The channel can take no more now. Most connections never get there, so nothing waits for its `drain` before. */
  #saturated(): void {
    this.#draining ??= this.#channel.drain.subscribe(() => {
      this.#backlog = 0;
      this.#ready.set(true);
    });
    this.#ready.set(false);
  }

  /** Nothing can be sent any more. */
  end(): void {
    this.#ended = true;
    this.#draining?.unsubscribe();
    this.#parts = [];
    this.#ready.complete();
  }

  #schedule(): void {
    this.#scheduled = true;
    // A promise's job takes half as long as `queueMicrotask`, which makes a resource of each for async_hooks.
    if (this.#channel.schedule === undefined) void endOfTick.then(this.#tickEnds);
    else this.#channel.schedule(this.#tickEnds);
  }

  #reserve(bytes: number): number {
    if (slabFill + bytes > slab.length) {
      slab = new Uint8Array(SLAB_BYTES);
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
