/** Missing bytes of a direction. */
export interface Gap {
  /** How many bytes of the direction precede it. */
  readonly offset: number;
  /** How many bytes are missing; undefined when unknown. */
  readonly missing: number | undefined;
  /** The reason, as the end of a sentence. */
  readonly why: string;
}

/** The next bytes of a direction, or its end. */
export type Piece =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'fin' }
  | ({ readonly kind: 'gap' } & Gap);

/** A segment of one direction. */
export interface DirectionSegment {
  readonly sequence: number;
  readonly payload: Uint8Array;
  /** Bytes after the payload that are not in the capture. */
  readonly missing: number;
  readonly fin: boolean;
}

/** Bounds the buffered out-of-order bytes of all directions together. */
export interface ReorderBudget {
  buffered: number;
  readonly limit: number;
}

interface BufferedSegment {
  readonly start: number;
  readonly payload: Uint8Array;
  readonly missing: number;
}

/** What a buffered segment counts besides its bytes, so that many small ones are not free. */
const SEGMENT_CHARGE = 1_024;

/** A more distant segment is not part of this connection: no window is larger. */
const FARTHEST = 0x4000_0000;

/**
 * Orders the segments of one direction of a TCP connection: it buffers early ones and drops
 * repeated ones. At a byte that cannot come any more, the direction ends with a gap.
 */
export class TcpDirection {
  readonly #budget: ReorderBudget;
  readonly #maxBuffered: number;
  /** The sequence number of the next byte, and how many bytes came before it. */
  #sequence: number | undefined;
  #offset = 0;
  #buffered: BufferedSegment[] = [];
  #bufferedBytes = 0;
  #finAt: number | undefined;
  #over = false;

  /** `maxBuffered`: the most out-of-order bytes of this direction. */
  constructor(budget: ReorderBudget, maxBuffered: number) {
    this.#budget = budget;
    this.#maxBuffered = maxBuffered;
  }

  get isStarted(): boolean {
    return this.#sequence !== undefined;
  }

  /** Whether it has ended, in any way. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Sets the sequence number of the first byte. */
  start(sequence: number): void {
    this.#sequence ??= sequence >>> 0;
  }

  /** Takes a segment; bytes that are now in order go to `sink`. */
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
      this.#buffer({ start, payload: segment.payload, missing: segment.missing }, sink);
    if (!this.#over && this.#finAt !== undefined && this.#finAt <= this.#offset)
      this.#end({ kind: 'fin' }, sink);
  }

  /** Ends the direction; bytes that are still missing are a gap. */
  finish(sink: (piece: Piece) => void): void {
    if (this.#over) return;
    const next = this.#buffered[0]?.start ?? this.#finAt;
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

  /** Drops the buffered segments. */
  #release(): void {
    this.#budget.buffered -= this.#bufferedBytes;
    this.#bufferedBytes = 0;
    this.#buffered = [];
  }

  #end(piece: Piece, sink: (piece: Piece) => void): void {
    this.#release();
    this.#over = true;
    sink(piece);
  }

  /** Delivers the new bytes of a segment that begins at the next byte or before. */
  #deliver({ start, payload, missing }: BufferedSegment, sink: (piece: Piece) => void): void {
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

  /** Delivers buffered segments that are in order now. */
  #drain(sink: (piece: Piece) => void): void {
    let count = 0;
    for (const segment of this.#buffered) {
      if (segment.start > this.#offset || this.#over) break;
      count += 1;
      this.#count(-segment.payload.length - SEGMENT_CHARGE);
      this.#deliver(segment, sink);
    }
    if (count > 0 && !this.#over) this.#buffered.splice(0, count);
  }

  #buffer(segment: BufferedSegment, sink: (piece: Piece) => void): void {
    const place = this.#placeOf(segment.start);
    const there = this.#buffered[place];
    if (there?.start === segment.start) {
      if (there.payload.length >= segment.payload.length) return;
      this.#count(-there.payload.length - SEGMENT_CHARGE);
    }
    // A copy: a view would keep the memory of the whole chunk.
    this.#buffered.splice(place, there?.start === segment.start ? 1 : 0, {
      ...segment,
      payload: segment.payload.slice(),
    });
    this.#count(segment.payload.length + SEGMENT_CHARGE);
    if (this.#bufferedBytes <= this.#maxBuffered && this.#budget.buffered <= this.#budget.limit)
      return;
    const missing = (this.#buffered[0]?.start ?? this.#offset) - this.#offset;
    this.#end(
      {
        kind: 'gap',
        offset: this.#offset,
        missing,
        why: 'they do not come, and too many bytes after them have',
      },
      sink,
    );
  }

  #count(bytes: number): void {
    this.#bufferedBytes += bytes;
    this.#budget.buffered += bytes;
  }

  /** The index of the first buffered segment that begins at `start` or later. */
  #placeOf(start: number): number {
    let [low, high] = [0, this.#buffered.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#buffered[middle]?.start ?? Infinity) < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
