import { AmandaError } from '../wire/errors.js';
import type { Pull, PullEnd, Pullable } from '../operators/pull.js';
import { Fifo } from './fifo.js';

/** Whom an inbox pays for what it keeps. */
export interface Credit {
  /** Bytes that may be held besides what is. Not there where that is not known. */
  readonly room?: number;
  hold(bytes: number): void;
  release(bytes: number): void;
}

/**
 * What a kept chunk costs besides its bytes: about what the objects around it take. It makes many
 * tiny frames as expensive as they are.
 */
export const CHUNK_CHARGE = 512;

/** A chunk of so many bytes is worth to be taken where it lies, though it keeps more memory alive in its reader's hands; a smaller one is copied. */
const OFFERED_BYTES = 16_384;
/** Of the room that is left that memory takes a third at the most, so that readers who wait for one another get their chunks. */
const LEAST_ROOM = 3;

/**
 * The receiving side of one handle: chunks wait here from the first on until the one reader takes
 * them, and what waits, or is in the reader's hands, is held against the connection's budget.
 */
export class Inbox implements Pullable<Uint8Array> {
  readonly #chunks = new Fifo<Uint8Array>();
  readonly #credit: Credit;
  readonly #handle: number;
  readonly #dropped: () => void;
  #held = 0;
  #received = 0;
  #end: PullEnd | undefined;
  #wake: (() => void) | undefined;
  #direct: ((chunk: Uint8Array) => void) | undefined;
  #busy = false;
  #taken = false;
  #cancelled = false;

  /** `dropped` is called when the reader leaves before the end. */
  constructor(handle: number, credit: Credit, dropped: () => void) {
    this.#handle = handle;
    this.#credit = credit;
    this.#dropped = dropped;
  }

  /** Cost of what is kept or in the reader's hands, in bytes. */
  get held(): number {
    return this.#held;
  }

  /** Payload bytes that have arrived. */
  get received(): number {
    return this.#received;
  }

  /** Whether no more will arrive. */
  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** Whether a reader is there and has nothing to read. */
  get isWaiting(): boolean {
    return this.#wake !== undefined && this.#held === 0 && this.#end === undefined;
  }

  /** Takes in a chunk that arrived. A pushing reader gets it at once and at no charge. */
  deliver(chunk: Uint8Array): void {
    if (this.#end !== undefined) return;
    this.#received += chunk.length;
    if (this.#cancelled) return;
    if (this.#direct !== undefined && !this.#busy && this.#chunks.size === 0) {
      this.#busy = true;
      this.#direct(chunk);
      this.#busy = false;
      if (this.#chunks.size > 0 || this.ended) this.#wake?.();
      return;
    }
    if (this.#wake !== undefined && this.#mayOffer(chunk)) this.#offer(chunk, this.#wake);
    else {
      this.#keep(withoutExcess(chunk));
      if (!this.#busy) this.#wake?.();
    }
  }

  #mayOffer(chunk: Uint8Array): boolean {
    if (this.#busy || this.#chunks.size > 0 || chunk.length < OFFERED_BYTES) return false;
    return cost(chunk) * LEAST_ROOM <= (this.#credit.room ?? 0);
  }

  /** Lets the reader take a chunk where it lies; what it does not take at once is kept without the memory around it. */
  #offer(chunk: Uint8Array, wake: () => void): void {
    this.#keep(chunk);
    wake();
    const first = this.#chunks.shift();
    if (first === undefined) return;
    const kept = first === chunk ? withoutExcess(chunk) : first;
    this.#chunks.unshift(kept);
    if (kept !== first) this.#release(cost(first) - cost(kept));
  }

  #keep(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#held += cost(chunk);
    this.#credit.hold(cost(chunk));
  }

  /** Nothing more will arrive; without an error the bytes are complete. */
  finish(end: PullEnd = {}): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    if (!this.#busy) this.#wake?.();
  }

  pull(wake: () => void): Pull<Uint8Array> {
    this.#claim();
    this.#wake = wake;
    const endNow = (): PullEnd | undefined => (this.#chunks.size === 0 ? this.#end : undefined);
    return {
      get end() {
        return endNow();
      },
      take: () => this.#chunks.shift(),
      release: (chunk) => {
        this.#release(cost(chunk));
      },
      cancel: () => {
        this.#cancel();
      },
    };
  }

  /** Hands every chunk to `next` as it comes, and the end to `ended`; returns how to stop. */
  push(next: (chunk: Uint8Array) => void, ended: (end: PullEnd) => void): () => void {
    const drain = (): void => {
      this.#busy = true;
      for (let chunk = this.#chunks.shift(); chunk !== undefined && !this.#cancelled; chunk = this.#chunks.shift()) {
        next(chunk);
        this.#release(cost(chunk));
      }
      this.#busy = false;
      if (this.#end !== undefined && !this.#cancelled) ended(this.#end);
    };
    this.#claim();
    this.#wake = drain;
    this.#direct = next;
    if (this.#chunks.size > 0 || this.#end !== undefined) drain();
    return () => {
      this.#cancel();
    };
  }

  #claim(): void {
    if (this.#taken) {
      throw new AmandaError('ALREADY_READ', `Handle ${this.#handle} already has its reader; use share() to give its bytes to several.`, {
        handle: this.#handle,
      });
    }
    this.#taken = true;
  }

  #release(bytes: number): void {
    if (this.#cancelled) return;
    this.#held -= bytes;
    this.#credit.release(bytes);
  }

  #cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#wake = undefined;
    this.#direct = undefined;
    this.#chunks.clear();
    const held = this.#held;
    this.#held = 0;
    if (held > 0) this.#credit.release(held);
    if (this.#end === undefined) this.#dropped();
  }
}

/** What a chunk keeps alive: itself, or the whole memory that it is a small part of. */
function cost(chunk: Uint8Array): number {
  return (isSmallPart(chunk) ? chunk.buffer.byteLength : chunk.length) + CHUNK_CHARGE;
}

/** What waits is copied unless it is most of the memory that it lies in. */
function withoutExcess(chunk: Uint8Array): Uint8Array {
  return isSmallPart(chunk) ? chunk.slice() : chunk;
}

function isSmallPart(chunk: Uint8Array): boolean {
  return chunk.length * 2 < chunk.buffer.byteLength;
}
