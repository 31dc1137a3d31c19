import { AmandaError } from './errors.js';
import { HEADER_BYTES, checkHandle, writeHeader } from './frame-header.js';
import { badHeader, cutHeader } from './no-frame.js';

/**
 * One TCPM frame: a handle and its payload. An empty payload closes the handle in its direction.
 */
export interface Frame {
  /** The number of the stream or protocol handle, 0 … 2³² − 1. */
  readonly handle: number;
  readonly payload: Uint8Array;
}

/** The largest payload, in bytes (128 × 32 KiB). Source: PROTOCOL.md, "Frames". */
export const MAX_PAYLOAD = 4_194_304;

/** The payload of a close. */
export const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Options of {@link FrameDecoder} and `decodeFrames`. */
export interface DecodeOptions {
  /** Bytes; a frame that announces more is an error. 1 … 2³¹ − 1, default {@link MAX_PAYLOAD}. */
  readonly maxPayload?: number;
}

/** Takes a decoded frame. */
export type FrameSink = (handle: number, payload: Uint8Array) => void;

/**
 * The bytes of one frame, header and payload in one piece.
 *
 * Errors with `BAD_ARGUMENT` for a handle that is no 32-bit number, and with `FRAME_TOO_LARGE` for
 * a payload over {@link MAX_PAYLOAD}, which every receiver refuses.
 */
export function encodeFrame({ handle, payload }: Frame): Uint8Array {
  checkHandle(handle);
  if (payload.length > MAX_PAYLOAD) {
    throw new AmandaError(
      'FRAME_TOO_LARGE',
      `A payload of ${payload.length} bytes is over the ${MAX_PAYLOAD} that a receiver accepts; cut it into several frames.`,
      { handle },
    );
  }
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  writeHeader(bytes, 0, handle, payload.length);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/**
 * The first memory for a frame that chunks have cut. A header is only the peer's word, so memory
 * grows with what arrives.
 */
const FIRST_ASSEMBLY_BYTES = 262_144;

/**
 * Decodes TCPM frames from bytes cut at arbitrary places.
 *
 * A payload is a view into its chunk, also if the frame spans chunks that lie one after another in
 * the same memory. A frame that is cut otherwise is copied once (twice at most if it is over 256
 * KiB). A chunk must not change until its frames are complete. After an error the decoder stays
 * failed. Source: PROTOCOL.md, "Frames".
 */
export class FrameDecoder {
  readonly #maxPayload: number;
  /** The beginning of a frame, where it arrived. */
  #rest = NO_BYTES;
  /** A frame that is being put together, header and payload, and how much of it is there. */
  #frame = NO_BYTES;
  #fill = 0;
  #failure: AmandaError | undefined;

  constructor({ maxPayload = MAX_PAYLOAD }: DecodeOptions = {}) {
    if (!Number.isInteger(maxPayload) || maxPayload < 1 || maxPayload > 0x7fff_ffff) {
      throw new AmandaError(
        'BAD_ARGUMENT',
        `maxPayload must be a whole number of bytes from 1 to 2147483647, not ${maxPayload}.`,
      );
    }
    this.#maxPayload = maxPayload;
  }

  /** Bytes of an unfinished frame that are kept. */
  get pending(): number {
    return this.#fill + this.#rest.length;
  }

  /**
   * The frames that a chunk completes, in order.
   *
   * Errors with `FRAME_TOO_LARGE` or `TEXT_IN_CHANNEL`. A bad first header throws at the call; a
   * later one throws when the iteration gets there, after the good frames.
   */
  push(chunk: Uint8Array): Iterable<Frame> {
    const frames: Frame[] = [];
    try {
      this.decode(chunk, (handle, payload) => frames.push({ handle, payload }));
    } catch (error) {
      if (frames.length === 0) throw error;
      return framesThenError(frames, error);
    }
    return frames;
  }

  /** The fast form of {@link push}: hands each frame to `sink`. */
  decode(chunk: Uint8Array, sink: FrameSink): void {
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = this.#join(chunk, sink);
    const end = bytes.length;
    let at = 0;
    while (end - at >= HEADER_BYTES) {
      const start = at + HEADER_BYTES;
      const length = this.#lengthAt(bytes, at);
      if (end - start < length) break;
      at = start + length;
      const payload =
        length === 0 ? NO_BYTES : new Uint8Array(bytes.buffer, bytes.byteOffset + start, length);
      sink(uint32(bytes, start - 4), payload);
    }
    this.#rest = at === end ? NO_BYTES : bytes.subarray(at);
  }

  /** Says that no more bytes come. Errors with `TRUNCATED` when that is inside a frame. */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure;
    const begun = this.#fill > 0 ? this.#frame.subarray(0, this.#fill) : this.#rest;
    if (begun.length === 0) return;
    this.#failure = begun.length < HEADER_BYTES ? cutHeader(begun) : cutPayload(begun);
    throw this.#failure;
  }

  /**
   * The bytes to decode: those of the chunk, minus what completed a partial frame.
   */
  #join(chunk: Uint8Array, sink: FrameSink): Uint8Array {
    const rest = this.#rest;
    this.#rest = NO_BYTES;
    if (rest.length > 0) {
      const end = rest.byteOffset + rest.length;
      if (rest.buffer === chunk.buffer && end === chunk.byteOffset)
        return new Uint8Array(rest.buffer, rest.byteOffset, rest.length + chunk.length);
      this.#assemble(rest);
    }
    if (this.#fill === 0) return chunk;
    const left = chunk.subarray(this.#assemble(chunk));
    const frame = this.#frame;
    if (this.#fill < sizeOf(frame)) return left;
    this.#frame = NO_BYTES;
    this.#fill = 0;
    sink(uint32(frame, 4), frame.length === HEADER_BYTES ? NO_BYTES : frame.subarray(HEADER_BYTES));
    return left;
  }

  /** Copies what belongs to the frame that is put together; returns how many bytes those were. */
  #assemble(chunk: Uint8Array): number {
    const header = this.#append(chunk, HEADER_BYTES);
    if (this.#fill < HEADER_BYTES) return header;
    const size = HEADER_BYTES + this.#lengthAt(this.#frame, 0, chunk.subarray(header));
    return header + this.#append(chunk.subarray(header), size);
  }

  /** Copies bytes until the frame that is put together has `size`; returns how many those were. */
  #append(chunk: Uint8Array, size: number): number {
    const count = Math.min(chunk.length, Math.max(0, size - this.#fill));
    const fill = this.#fill + count;
    if (fill > this.#frame.length) {
      const doubled = Math.max(fill, 2 * this.#frame.length, FIRST_ASSEMBLY_BYTES);
      const larger = new Uint8Array(Math.min(size, doubled));
      larger.set(this.#frame.subarray(0, this.#fill));
      this.#frame = larger;
    }
    this.#frame.set(chunk.subarray(0, count), this.#fill);
    this.#fill = fill;
    return count;
  }

  /**
   * The payload length in a header. `more`: what came after the header, if it lies elsewhere; it
   * explains the error.
   */
  #lengthAt(bytes: Uint8Array, at: number, more = NO_BYTES): number {
    const length = uint32(bytes, at) | 0;
    if (length >= 0 && length <= this.#maxPayload) return length;
    const seen = joined(bytes.subarray(at), more);
    this.#failure = badHeader(seen, length, this.#maxPayload);
    throw this.#failure;
  }
}

/** Bytes of a whole frame; at least a header's where that is cut. */
function sizeOf(frame: Uint8Array): number {
  return HEADER_BYTES + uint32(frame, 0);
}

function cutPayload(begun: Uint8Array): AmandaError {
  const handle = uint32(begun, 4);
  const message = `The bytes end inside a frame for handle ${handle}, ${begun.length - HEADER_BYTES} of ${uint32(begun, 0)} payload bytes in.`;
  return new AmandaError('TRUNCATED', message, { handle });
}

function* framesThenError(frames: readonly Frame[], error: unknown): Generator<Frame> {
  yield* frames;
  throw error;
}

function uint32(bytes: Uint8Array, at: number): number {
  // The caller has made sure that the four bytes are there.
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

function joined(front: Uint8Array, back: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(front.length + back.length);
  bytes.set(front);
  bytes.set(back, front.length);
  return bytes;
}
