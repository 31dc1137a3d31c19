/** What stands in the way of the next bytes of a direction. */
export interface Gap {
  /** How many bytes of the direction come before it. */
  readonly offset: number;
  /** Bytes that are missing; undefined when nobody knows. */
  readonly missing: number | undefined;
  /** As the end of a sentence. */
  readonly why: string;
}

/** Bytes of a direction, behind each other, or how it ends. */
export type Piece =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'fin' }
  | ({ readonly kind: 'gap' } & Gap);

/** A segment as a direction takes it. */
export interface DirectionSegment {
  readonly sequence: number;
  readonly payload: Uint8Array;
  /** Bytes behind the payload that the capture does not have. */
  readonly missing: number;
  readonly fin: boolean;
}

/** How much is kept that came too early, in bytes; shared by all directions. */
export interface HoldBudget {
  held: number;
  readonly limit: number;
}

interface Held {
  readonly start: number;
  readonly payload: Uint8Array;
  readonly missing: number;
}

/** What a kept segment counts for beside its bytes, so that many small ones are not free. */
const HELD_CHARGE = 1_024;

/** A segment further away is no part of this connection: no window is larger. */
const FARTHEST = 0x4000_0000;

/**
 * Puts the segments of one direction of a TCP connection into their order: what is early is kept, what comes again is left out.
 * Where a byte cannot be had any more the direction ends with a gap.
 */
export class TcpDirection {
  readonly #budget: HoldBudget;
  readonly #maxHeld: number;
  /** The sequence number of the next byte, and how many bytes came before it. */
  #sequence: number | undefined;
  #offset = 0;
  #held: Held[] = [];
  #heldBytes = 0;
  #finAt: number | undefined;
  #over = false;

  /** `maxHeld` is how many bytes may be kept that came too early. */
  constructor(budget: HoldBudget, maxHeld: number) {
    this.#budget = budget;
    this.#maxHeld = maxHeld;
  }

  get isStarted(): boolean {
    return this.#sequence !== undefined;
  }

  /** Whether it has ended, in whatever way. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Says which sequence number the first byte has. */
  start(sequence: number): void {
    this.#sequence ??= sequence >>> 0;
  }

  /** Takes a segment; what comes next with it goes to `sink`. */
  accept(segment: DirectionSegment, sink: (piece: Piece) => void): void {
    if (this.#over) return;
    const distance = (segment.sequence - (this.#sequence ??= segment.sequence)) | 0;
    if (Math.abs(distance) >= FARTHEST) return;
    const start = this.#offset + distance;
    const end = start + segment.payload.length + segment.missing;
    if (segment.fin && end >= this.#offset) this.#finAt ??= end;
    if (start <= this.#offset) {
      this.#deliver({ start, payload: segment.payload, missing: segment.missing }, sink);
      this.#drain(sink);
    } else if (end > start)
      this.#hold({ start, payload: segment.payload, missing: segment.missing }, sink);
    if (!this.#over && this.#finAt !== undefined && this.#finAt <= this.#offset)
      this.#end({ kind: 'fin' }, sink);
  }

  /** Says that nothing more comes; what was waited for is a gap. */
  finish(sink: (piece: Piece) => void): void {
    if (this.#over) return;
    const next = this.#held[0]?.start ?? this.#finAt;
    if (next === undefined || next <= this.#offset) this.#release();
    else
      this.#end(
        {
          kind: 'gap',
          offset: this.#offset,
          missing: next - this.#offset,
          why: 'they are not in the capture',
        },
        sink,
      );
    this.#over = true;
  }

  /** Gives up what it keeps. */
  #release(): void {
    this.#budget.held -= this.#heldBytes;
    this.#heldBytes = 0;
    this.#held = [];
  }

  #end(piece: Piece, sink: (piece: Piece) => void): void {
    this.#release();
    this.#over = true;
    sink(piece);
  }

  /** Passes on what of a segment is new; it begins at the next byte or before. */
  #deliver({ start, payload, missing }: Held, sink: (piece: Piece) => void): void {
    const known = this.#offset - start;
    if (known < payload.length) {
      const bytes = known === 0 ? payload : payload.subarray(known);
      this.#offset += bytes.length;
      this.#sequence = ((this.#sequence ?? 0) + bytes.length) >>> 0;
      sink({ kind: 'bytes', bytes });
    }
    const lost = start + payload.length + missing - this.#offset;
    if (missing > 0 && lost > 0)
      this.#end(
        {
          kind: 'gap',
          offset: this.#offset,
          missing: lost,
          why: 'the packet was not captured as a whole',
        },
        sink,
      );
  }

  /** Passes on what was kept, as far as it joins. */
  #drain(sink: (piece: Piece) => void): void {
    let count = 0;
    for (const held of this.#held) {
      if (held.start > this.#offset || this.#over) break;
      count += 1;
      this.#count(-held.payload.length - HELD_CHARGE);
      this.#deliver(held, sink);
    }
    if (count > 0 && !this.#over) this.#held.splice(0, count);
  }

  #hold(held: Held, sink: (piece: Piece) => void): void {
    const place = this.#placeOf(held.start);
    const there = this.#held[place];
    if (there?.start === held.start) {
      if (there.payload.length >= held.payload.length) return;
      this.#count(-there.payload.length - HELD_CHARGE);
    }
    // A copy: a view would keep all of the chunk that it lies in.
    this.#held.splice(place, there?.start === held.start ? 1 : 0, {
      ...held,
      payload: held.payload.slice(),
    });
    this.#count(held.payload.length + HELD_CHARGE);
    if (this.#heldBytes <= this.#maxHeld && this.#budget.held <= this.#budget.limit) return;
    const missing = (this.#held[0]?.start ?? this.#offset) - this.#offset;
    this.#end(
      {
        kind: 'gap',
        offset: this.#offset,
        missing,
        why: 'they do not come, and too much behind them has',
      },
      sink,
    );
  }

  #count(bytes: number): void {
    this.#heldBytes += bytes;
    this.#budget.held += bytes;
  }

  /** The first kept segment that does not begin before `start`. */
  #placeOf(start: number): number {
    let [low, high] = [0, this.#held.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#held[middle]?.start ?? Infinity) < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
