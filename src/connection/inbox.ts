import { AmandaError } from '../wire/errors.js';
import type { Pull, PullEnd, Pullable } from '../operators/pull.js';
import { keepHere } from '../transport/keep-here.js';
import { WaitingChunks } from './waiting-chunks.js';

/** Whom an inbox pays for what it keeps. */
export interface Credit {
  /** Bytes that may be held besides what is. Not there where that is not known. */
  readonly room?: number;
  hold(bytes: number): void;
  release(bytes: number): void;
  /** Is told that nobody needs a chunk any more that it has delivered. Not there where memory is not written to again. */
  reuse?(chunk: Uint8Array): void;
  /** Has the memory of the chunk that is being delivered stay in this thread, where others have a part in it. Not there where none have. */
  keepHere?(chunk: Uint8Array): void;
  /** Calls back once all that was read together with the chunk that is being delivered has been delivered. Not there where that is not known. */
  whenDelivered?(tell: () => void): void;
}

/**
 * What a kept chunk costs besides its bytes: about what the objects around it take. It makes many
 * tiny frames as expensive as they are.
 */
export const CHUNK_CHARGE = 512;

/** A chunk of so many bytes is worth to be taken where it lies, though it keeps more memory alive in its reader's hands; a smaller one is copied. */
const OFFERED_BYTES = 16_384;
/** Memory for chunks that wait together: a reader who takes a while for each is done with them sooner. */
const TOGETHER_BYTES = 262_144;
/** Of the room that is left that memory takes a third at the most, so that readers who wait for one another get their chunks. */
const LEAST_ROOM = 3;

/**
 * The receiving side of one handle: chunks wait here from the first on until the one reader takes
 * them, and what waits, or is in the reader's hands, is held against the connection's budget.
 */
export class Inbox implements Pullable<Uint8Array> {
  readonly #chunks = new WaitingChunks();
  readonly #credit: Credit;
  readonly #handle: number;
  readonly #dropped: () => void;
  #held = 0;
  #received = 0;
  #end: PullEnd | undefined;
  #wake: (() => void) | undefined;
  #direct: ((chunk: Uint8Array) => void) | undefined;
  /** Whether the pushing reader may keep what it gets. */
  #mayKeep = true;
  #busy = false;
  /** Whether the reader has not given back at once what it took last. */
  #takesTime = false;
  #isToBeWoken = false;
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
    if (this.#cancelled) {
      this.#credit.reuse?.(chunk);
      return;
    }
    if (this.#direct !== undefined && !this.#busy && this.#chunks.size === 0) {
      this.#busy = true;
      if (this.#mayKeep) this.#credit.keepHere?.(chunk);
      this.#direct(chunk);
      this.#busy = false;
      if (this.#chunks.size > 0 || this.ended) this.#wake?.();
      return;
    }
    if (this.#wake !== undefined && this.#mayOffer(chunk)) {
      this.#offer(chunk, this.#wake);
      this.#takesTime = this.#held > 0;
      return;
    }
    this.#keepWaiting(chunk);
    if (this.#busy) return;
    if (this.#takesTime) this.#wakeSoon();
    else this.#wake?.();
  }

  /** Wakes a reader who takes time for each chunk when what has been read with this one is there, too. */
  #wakeSoon(): void {
    if (this.#isToBeWoken) return;
    this.#isToBeWoken = true;
    const wake = (): void => {
      this.#isToBeWoken = false;
      this.#wake?.();
      this.#takesTime = this.#held > 0;
    };
    if (this.#credit.whenDelivered === undefined) wake();
    else this.#credit.whenDelivered(wake);
  }

  #mayOffer(chunk: Uint8Array): boolean {
    if (this.#busy || this.#takesTime || this.#chunks.size > 0 || chunk.length < OFFERED_BYTES)
      return false;
    return cost(chunk) * LEAST_ROOM <= (this.#credit.room ?? 0);
  }

  /** Lets the reader take a chunk where it lies; what it does not take at once is kept without the memory around it. */
  #offer(chunk: Uint8Array, wake: () => void): void {
    this.#keep(chunk);
    wake();
    const first = this.#chunks.shift();
    if (first === undefined) return;
    if (first !== chunk || !isSmallPart(chunk)) {
      this.#chunks.unshift(first);
      return;
    }
    const copy = chunk.slice();
    this.#chunks.unshift(copy);
    this.#release(cost(chunk) - cost(copy));
    this.#credit.reuse?.(chunk);
  }

  #keep(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#hold(cost(chunk));
  }

  /** Keeps a chunk that has to wait. It is copied unless it is most of the memory that it lies in: to the others where several wait, to be one chunk with them. */
  #keepWaiting(chunk: Uint8Array): void {
    if (!isSmallPart(chunk)) {
      this.#keep(chunk);
      return;
    }
    if (!this.#chunks.append(chunk)) {
      const bytes = this.#roomTogether(chunk);
      if (bytes > 0) {
        this.#chunks.begin(bytes, chunk);
        this.#hold(bytes + CHUNK_CHARGE);
      } else this.#keep(chunk.slice());
    }
    this.#credit.reuse?.(chunk);
  }

  /** Bytes for this chunk and those that come next; none where it may well be the only one, or no more of them may be held. */
  #roomTogether(chunk: Uint8Array): number {
    if (chunk.length < OFFERED_BYTES || (!this.#takesTime && this.#chunks.size === 0)) return 0;
    const bytes = Math.min(TOGETHER_BYTES, (this.#credit.room ?? 0) - CHUNK_CHARGE);
    return bytes < chunk.length * 2 ? 0 : bytes;
  }

  #hold(bytes: number): void {
    this.#held += bytes;
    this.#credit.hold(bytes);
  }

  /** Nothing more will arrive; without an error the bytes are complete. */
  finish(end: PullEnd = {}): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    if (!this.#busy) this.#wake?.();
  }

  pull(wake: () => void, lend = false): Pull<Uint8Array> {
    this.#claim();
    this.#wake = wake;
    if (lend) this.#chunks.lend();
    const endNow = (): PullEnd | undefined => (this.#chunks.size === 0 ? this.#end : undefined);
    return {
      get end() {
        return endNow();
      },
      take: () => {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) keepHere(chunk);
        return chunk;
      },
      release: (chunk) => {
        this.#release(cost(chunk));
      },
      ...(lend && {
        reuse: (chunk: Uint8Array) => {
          if (!this.#chunks.reuse(chunk)) this.#credit.reuse?.(chunk);
        },
      }),
      cancel: () => {
        this.#cancel();
      },
    };
  }

  /** Hands every chunk to `next` as it comes, and the end to `ended`; returns how to stop. `mayKeep`: whether chunks go on to somebody who may keep them. */
  push(
    next: (chunk: Uint8Array) => void,
    ended: (end: PullEnd) => void,
    mayKeep = true,
  ): () => void {
    const drain = (): void => {
      this.#busy = true;
      for (
        let chunk = this.#chunks.shift();
        chunk !== undefined && !this.#cancelled;
        chunk = this.#chunks.shift()
      ) {
        if (mayKeep) keepHere(chunk);
        next(chunk);
        this.#release(cost(chunk));
      }
      this.#busy = false;
      if (this.#end !== undefined && !this.#cancelled) ended(this.#end);
    };
    this.#claim();
    this.#wake = drain;
    this.#direct = next;
    this.#mayKeep = mayKeep;
    if (this.#chunks.size > 0 || this.#end !== undefined) drain();
    return () => {
      this.#cancel();
    };
  }

  #claim(): void {
    if (this.#taken) {
      throw new AmandaError(
        'ALREADY_READ',
        `Handle ${this.#handle} already has its reader; use share() to give its bytes to several.`,
        {
          handle: this.#handle,
        },
      );
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

/** What a chunk keeps alive: itself, or the whole memory that it is the first or a small part of. */
function cost(chunk: Uint8Array): number {
  return (
    (chunk.byteOffset === 0 || isSmallPart(chunk) ? chunk.buffer.byteLength : chunk.length) +
    CHUNK_CHARGE
  );
}

function isSmallPart(chunk: Uint8Array): boolean {
  return chunk.length * 2 < chunk.buffer.byteLength;
}
