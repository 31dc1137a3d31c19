import type { Pull, PullEnd, Pullable } from '../operators/pull.js';
import { SLAB_BYTES, hold, release, markShared, takeSlab } from '../transport/buffer-pool.js';
import { Fifo } from '../transport/fifo.js';
import { AmandaError } from '../wire/errors.js';

/** The budget that kept bytes count against. */
export interface Credit {
  /** Bytes that may be kept besides what is. */
  readonly room: number;
  hold(bytes: number): void;
  release(bytes: number): void;
}

/** What a kept chunk costs besides its bytes: about what the objects around it take. */
export const CHUNK_CHARGE = 512;

/** A chunk of this size may wait in place, or in a slab with others. A smaller one is copied. */
const LARGE_CHUNK = 16_384;
/** One chunk's memory may use a third of the free budget. */
const ROOM_DIVISOR = 3;

/** A reader that gets each chunk when it arrives. */
interface Push {
  next(chunk: Uint8Array): void;
  end(end: PullEnd): void;
  /** Whether the reader may keep what it gets. */
  readonly mayKeep: boolean;
}

/**
 * The receive side of one handle. Chunks wait here from the first on until the one reader takes
 * them. What waits, and what the reader works on, counts against the connection's budget.
 */
export class ReceiveBuffer implements Pullable<Uint8Array> {
  readonly #handle: number;
  readonly #credit: Credit;
  readonly #dropped: () => void;
  /** Whether each chunk is a packet, so that two never become one. */
  readonly #keepsBoundaries: boolean;
  readonly #chunks = new Fifo<Uint8Array>();
  /** What each chunk costs that waits or is in the reader's hands. */
  readonly #costs = new Map<Uint8Array, number>();
  /** A slab at the end of the queue with room for the next chunks, and its filled bytes. */
  #slab: Uint8Array | undefined;
  #fill = 0;
  #held = 0;
  #received = 0;
  #end: PullEnd | undefined;
  #wake: (() => void) | undefined;
  #push: Push | undefined;
  #isBusy = false;
  #isTaken = false;
  #isCancelled = false;

  /** `dropped` is called when the reader leaves before the end. */
  constructor(handle: number, credit: Credit, dropped: () => void, keepsBoundaries = false) {
    this.#handle = handle;
    this.#credit = credit;
    this.#dropped = dropped;
    this.#keepsBoundaries = keepsBoundaries;
  }

  /** Cost of what waits or is in the reader's hands, in bytes. */
  get held(): number {
    return this.#held;
  }

  /** Payload bytes that have arrived. */
  get received(): number {
    return this.#received;
  }

  /** Whether a reader is there and has nothing to read. */
  get isWaiting(): boolean {
    return this.#wake !== undefined && this.#held === 0 && this.#end === undefined;
  }

  /** Takes in a chunk that arrived. A pushing reader gets it at once and at no charge. */
  next(chunk: Uint8Array): void {
    if (this.#end !== undefined) return;
    this.#received += chunk.length;
    if (this.#isCancelled) return;
    const isIdle = !this.#isBusy && this.#isEmpty;
    if (isIdle && this.#push !== undefined) this.#pushNow(chunk, this.#push);
    else if (this.#wake !== undefined && this.#held === 0) this.#offer(chunk, this.#wake);
    else this.#keep(chunk);
  }

  /** Nothing more will arrive; without an error the bytes are complete. */
  finish(end: PullEnd = {}): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    if (!this.#isBusy) this.#wake?.();
  }

  pull(wake: () => void, lease = false): Pull<Uint8Array> {
    this.#claim();
    this.#wake = wake;
    const endNow = (): PullEnd | undefined => (this.#isEmpty ? this.#end : undefined);
    return {
      get end() {
        return endNow();
      },
      // A taken chunk stays held; only a lease releases it.
      take: () => this.#shift(),
      release: (chunk) => {
        if (this.#pay(chunk) && lease) release(chunk);
      },
      cancel: () => {
        this.#cancel();
      },
    };
  }

  /** Hands every chunk to the reader as it arrives; returns how to stop. */
  push(reader: Push): () => void {
    this.#claim();
    const drain = (): void => {
      this.#isBusy = true;
      for (let chunk = this.#shift(); chunk !== undefined; chunk = this.#shift()) {
        reader.next(chunk);
        this.#pay(chunk);
      }
      this.#isBusy = false;
      if (this.#end !== undefined && !this.#isCancelled) reader.end(this.#end);
    };
    this.#wake = drain;
    this.#push = reader;
    if (!this.#isEmpty || this.#end !== undefined) drain();
    return () => {
      this.#cancel();
    };
  }

  get #isEmpty(): boolean {
    return this.#chunks.size === 0 && this.#slab === undefined;
  }

  #pushNow(chunk: Uint8Array, reader: Push): void {
    this.#isBusy = true;
    if (reader.mayKeep) hold(chunk);
    reader.next(chunk);
    this.#isBusy = false;
    if (!this.#isEmpty || this.#end !== undefined) this.#wake?.();
  }

  /**
   * Offers a large chunk in place to a waiting reader, and copies it if the reader does not take
   * it.
   */
  #offer(chunk: Uint8Array, wake: () => void): void {
    const memory = chunk.buffer.byteLength;
    if (chunk.length < LARGE_CHUNK || memory * ROOM_DIVISOR > this.#credit.room) {
      this.#keep(chunk);
      return;
    }
    hold(chunk);
    this.#enqueue(chunk, memory);
    wake();
    const first = this.#chunks.shift();
    if (first === undefined) return;
    const isCopied = first === chunk && isSmallPart(chunk);
    this.#chunks.unshift(isCopied ? this.#copyOf(chunk) : first);
  }

  /** Replaces a chunk that waits by a copy, which costs less than the memory around it. */
  #copyOf(chunk: Uint8Array): Uint8Array {
    const copy = chunk.slice();
    release(chunk);
    this.#reprice(chunk, copy, copy.length);
    return copy;
  }

  /** Keeps a chunk that has to wait: a copy of it if it would keep much more memory alive. */
  #keep(chunk: Uint8Array): void {
    if (!this.#append(chunk)) {
      this.#closeSlab();
      const isBacklog = this.#held > 0 && chunk.length >= LARGE_CHUNK && !this.#keepsBoundaries;
      if (!isSmallPart(chunk)) {
        hold(chunk);
        this.#enqueue(chunk, chunk.buffer.byteLength);
      } else if (isBacklog && this.#credit.room >= SLAB_BYTES + CHUNK_CHARGE) {
        this.#openSlab(chunk);
      } else {
        this.#enqueue(chunk.slice(), chunk.length);
      }
    }
    if (!this.#isBusy) this.#wake?.();
  }

  /** Adds a chunk to the slab at the end of the queue; false if no slab has room for it. */
  #append(chunk: Uint8Array): boolean {
    if (this.#slab === undefined || this.#slab.length - this.#fill < chunk.length) return false;
    this.#slab.set(chunk, this.#fill);
    this.#fill += chunk.length;
    return true;
  }

  #openSlab(chunk: Uint8Array): void {
    this.#slab = takeSlab();
    this.#charge(this.#slab, SLAB_BYTES);
    this.#append(chunk);
  }

  /** Queues what the slab at the end holds, as one chunk. */
  #closeSlab(): void {
    if (this.#slab === undefined) return;
    const chunk = this.#slab.subarray(0, this.#fill);
    this.#reprice(this.#slab, chunk, SLAB_BYTES);
    this.#chunks.push(chunk);
    this.#slab = undefined;
    this.#fill = 0;
  }

  #enqueue(chunk: Uint8Array, memory: number): void {
    this.#chunks.push(chunk);
    this.#charge(chunk, memory);
  }

  #shift(): Uint8Array | undefined {
    if (this.#chunks.size === 0) this.#closeSlab();
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) markShared(chunk);
    return chunk;
  }

  #charge(chunk: Uint8Array, memory: number): void {
    const cost = memory + CHUNK_CHARGE;
    this.#costs.set(chunk, cost);
    this.#held += cost;
    this.#credit.hold(cost);
  }

  /** Charges for one chunk in the place of another that costs as much or more. */
  #reprice(old: Uint8Array, chunk: Uint8Array, memory: number): void {
    const saved = (this.#costs.get(old) ?? 0) - memory - CHUNK_CHARGE;
    this.#costs.delete(old);
    this.#costs.set(chunk, memory + CHUNK_CHARGE);
    this.#held -= saved;
    if (saved > 0) this.#credit.release(saved);
  }

  /** Gives back what a chunk costs; false when that was done before. */
  #pay(chunk: Uint8Array): boolean {
    const cost = this.#costs.get(chunk);
    if (cost === undefined) return false;
    this.#costs.delete(chunk);
    this.#held -= cost;
    this.#credit.release(cost);
    return true;
  }

  #claim(): void {
    if (this.#isTaken) {
      throw new AmandaError(
        'ALREADY_READ',
        `Handle ${this.#handle} already has its reader; use share() to give its bytes to several.`,
        { handle: this.#handle },
      );
    }
    this.#isTaken = true;
  }

  #cancel(): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#wake = undefined;
    this.#push = undefined;
    // What the reader has taken may still be in work: its memory is left to the collector.
    for (let chunk = this.#shift(); chunk !== undefined; chunk = this.#shift()) release(chunk);
    this.#costs.clear();
    const held = this.#held;
    this.#held = 0;
    if (held > 0) this.#credit.release(held);
    if (this.#end === undefined) this.#dropped();
  }
}

/** Whether a chunk would keep much more memory alive than its own. */
function isSmallPart(chunk: Uint8Array): boolean {
  return chunk.length * 2 < chunk.buffer.byteLength;
}
