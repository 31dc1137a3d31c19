import { AmandaError } from './errors.js';
import { HEADER_BYTES, writeHeader } from './frame-header.js';
import { badHeader, cutHeader } from './no-frame.js';

/** One TCPM frame: a handle and what was sent on it. A payload of no bytes closes the handle in its direction. */
export interface Frame {
  /** Whom the payload is for, 0 … 2³² − 1. */
  readonly handle: number;
  readonly payload: Uint8Array;
}

/** The largest payload that an Amanda accepts, in bytes (128 × 32 KiB). Source: PROTOCOL.md, "Frames". */
export const MAX_PAYLOAD = 4_194_304;

/** The payload of a close. */
export const NO_BYTES = new Uint8Array(0);

export interface DecodeOptions {
  /** Bytes; a frame that announces more is an error. 1 … 2³¹ − 1, default {@link MAX_PAYLOAD}. */
  readonly maxPayload?: number;
  /**
   * Whether the memory of a chunk never changes again. An unfinished frame is then not copied as long as each next chunk lies right
   * behind the last one in memory. Default false.
   */
  readonly lasting?: boolean;
  /**
   * With `lasting`: a chunk that begins exactly so many bytes into its memory has those bytes to spare. The beginning of a frame that is not right
   * in front of it is put there, and the frame is a view again. Default 0, no such chunks.
   */
  readonly headroom?: number | undefined;
  /** With `lasting`: is told of bytes of chunks that were copied, so that the decoder needs them no more where they are. */
  readonly copied?: ((bytes: Uint8Array) => void) | undefined;
}

/** Takes a decoded frame; `false` stops the decoder behind it. */
export type FrameSink = (handle: number, payload: Uint8Array) => boolean;

/**
 * The bytes of one frame, header and payload in one piece.
 *
 * Errors with `BAD_ARGUMENT` for a handle that is no 32-bit number, and with `FRAME_TOO_LARGE` for
 * a payload over {@link MAX_PAYLOAD}, which every receiver refuses.
 */
export function encodeFrame({ handle, payload }: Frame): Uint8Array {
  if (!Number.isInteger(handle) || handle < 0 || handle > 0xffff_ffff) {
    throw new AmandaError(
      'BAD_ARGUMENT',
      `A handle is a whole number from 0 to 4294967295, not ${handle}.`,
    );
  }
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
 * How much is set aside when a frame's header has arrived and its payload has not. What the header
 * announces is the peer's word only, so memory grows with what really comes.
 */
const FIRST_ASSEMBLY_BYTES = 262_144;

/**
 * Decodes TCPM frames from bytes cut at arbitrary places.
 *
 * A payload that lies in one chunk is a view into it, and so is one in chunks that follow one another in lasting memory; one that
 * spans chunks otherwise is copied once (twice at the most when it is over 256 KiB). After an error the decoder stays failed.
 * Source: PROTOCOL.md, "Frames".
 */
export class FrameDecoder {
  readonly #maxPayload: number;
  readonly #lasting: boolean;
  readonly #headroom: number;
  readonly #copied: ((bytes: Uint8Array) => void) | undefined;
  /** The beginning of a frame, where it arrived. */
  #rest: Uint8Array | undefined;
  /** The header of a frame that chunks have cut. */
  #header = NO_BYTES;
  #headerFill = 0;
  #handle = 0;
  #length = 0;
  /** Payload bytes of the frame whose header came last. */
  #lastLength = 0;
  #body: Uint8Array | undefined;
  #bodyFill = 0;
  #failure: AmandaError | undefined;

  constructor({
    maxPayload = MAX_PAYLOAD,
    lasting = false,
    headroom = 0,
    copied,
  }: DecodeOptions = {}) {
    if (!Number.isInteger(maxPayload) || maxPayload < 1 || maxPayload > 0x7fff_ffff) {
      throw new AmandaError(
        'BAD_ARGUMENT',
        `maxPayload is a whole number of bytes from 1 to 2147483647, not ${maxPayload}.`,
      );
    }
    this.#maxPayload = maxPayload;
    this.#lasting = lasting;
    this.#headroom = lasting ? headroom : 0;
    this.#copied = lasting ? copied : undefined;
  }

  /** Bytes of an unfinished frame that are kept. */
  get pending(): number {
    return this.#headerFill + this.#bodyFill + (this.#rest?.length ?? 0);
  }

  /** Bytes with which the frame that is unfinished ends, if it is as long as the one before where its header has not come; none between frames. */
  get missing(): number {
    const { pending } = this;
    return pending === 0 ? 0 : this.frameSize - pending;
  }

  /** Bytes of the frame whose header came last, with the header. */
  get frameSize(): number {
    return HEADER_BYTES + this.#lastLength;
  }

  /**
   * The frames that a chunk completes, in order.
   *
   * Errors with `FRAME_TOO_LARGE` or `TEXT_IN_CHANNEL`: at once when the chunk's first header is the
   * bad one, else behind the good frames, when the iteration gets there. The chunk is taken in
   * whether or not the result is iterated.
   */
  push(chunk: Uint8Array): Iterable<Frame> {
    const frames: Frame[] = [];
    try {
      this.decode(chunk, (handle, payload) => frames.push({ handle, payload }) > 0);
    } catch (error) {
      if (frames.length === 0) throw error;
      return framesThenError(frames, error);
    }
    return frames;
  }

  /**
   * The fast form of {@link push}: hands each frame to `sink` and returns how many bytes of the chunk
   * were taken, which is all of them unless `sink` returned `false`; the rest is to be given again.
   */
  decode(chunk: Uint8Array, sink: FrameSink): number {
    if (this.#failure !== undefined) throw this.#failure;
    const rest = this.#rest;
    if (rest === undefined) return this.#decode(chunk, sink);
    this.#rest = undefined;
    if (isBehind(rest, chunk))
      return (
        this.#decode(
          new Uint8Array(rest.buffer, rest.byteOffset, rest.length + chunk.length),
          sink,
        ) - rest.length
      );
    if (
      this.#headroom > 0 &&
      chunk.byteOffset === this.#headroom &&
      rest.length <= this.#headroom
    ) {
      const whole = new Uint8Array(
        chunk.buffer,
        this.#headroom - rest.length,
        rest.length + chunk.length,
      );
      whole.set(rest);
      this.#copied?.(rest);
      return this.#decode(whole, sink) - rest.length;
    }
    this.#continue(rest);
    return this.#decode(chunk, sink);
  }

  #decode(chunk: Uint8Array, sink: FrameSink): number {
    const end = chunk.length;
    let at = 0;
    if (this.#headerFill > 0) {
      at = this.#continue(chunk);
      if (this.#body === undefined || this.#bodyFill < this.#length) return at;
      if (!sink(this.#handle, this.#finish())) return at;
    }
    let length = this.#lastLength;
    while (end - at >= HEADER_BYTES) {
      length = uint32(chunk, at) | 0;
      if (length < 0 || length > this.#maxPayload) throw this.#refuse(chunk.subarray(at), length);
      const start = at + HEADER_BYTES;
      if (end - start < length) break;
      at = start + length;
      const payload =
        length === 0 ? NO_BYTES : new Uint8Array(chunk.buffer, chunk.byteOffset + start, length);
      if (!sink(uint32(chunk, start - 4), payload)) return at;
    }
    this.#lastLength = length;
    if (at === end) return at;
    if (!this.#lasting) return at + this.#continue(chunk.subarray(at));
    this.#rest = chunk.subarray(at);
    return end;
  }

  /** Says that no more bytes come. Errors with `TRUNCATED` when that is inside a frame. */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#rest !== undefined) this.#continue(this.#rest);
    if (this.#headerFill === 0) return;
    this.#failure =
      this.#body === undefined
        ? cutHeader(this.#header.subarray(0, this.#headerFill))
        : new AmandaError(
            'TRUNCATED',
            `The bytes end inside a frame for handle ${this.#handle}, ${this.#bodyFill} of ${this.#length} payload bytes in.`,
            {
              handle: this.#handle,
            },
          );
    throw this.#failure;
  }

  /** Takes what of the chunk belongs to the frame that is being put together; returns how much that was. */
  #continue(chunk: Uint8Array): number {
    let at = 0;
    if (this.#body === undefined) {
      if (this.#header === NO_BYTES) this.#header = new Uint8Array(HEADER_BYTES);
      at = Math.min(HEADER_BYTES - this.#headerFill, chunk.length);
      this.#header.set(chunk.subarray(0, at), this.#headerFill);
      this.#headerFill += at;
      this.#copied?.(chunk.subarray(0, at));
      if (this.#headerFill < HEADER_BYTES) return at;
      this.#length = uint32(this.#header, 0) | 0;
      this.#handle = uint32(this.#header, 4);
      if (this.#length < 0 || this.#length > this.#maxPayload) {
        throw this.#refuse(joined(this.#header, chunk.subarray(at)), this.#length);
      }
      this.#lastLength = this.#length;
      this.#body =
        this.#length === 0
          ? NO_BYTES
          : new Uint8Array(Math.min(this.#length, FIRST_ASSEMBLY_BYTES));
    }
    const part = chunk.subarray(at, at + this.#length - this.#bodyFill);
    this.#body = withRoom(this.#body, this.#bodyFill, part.length, this.#length);
    this.#body.set(part, this.#bodyFill);
    this.#bodyFill += part.length;
    this.#copied?.(part);
    return at + part.length;
  }

  #finish(): Uint8Array {
    const payload = this.#body ?? NO_BYTES;
    this.#body = undefined;
    this.#bodyFill = 0;
    this.#headerFill = 0;
    return payload;
  }

  #refuse(bytes: Uint8Array, length: number): AmandaError {
    this.#failure = badHeader(bytes, length, this.#maxPayload);
    return this.#failure;
  }
}

/** Whether the bytes of `next` come right behind those of `first` in one piece of memory. */
function isBehind(first: Uint8Array, next: Uint8Array): boolean {
  return first.buffer === next.buffer && first.byteOffset + first.length === next.byteOffset;
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

function withRoom(body: Uint8Array, fill: number, more: number, most: number): Uint8Array {
  if (fill + more <= body.length) return body;
  const larger = new Uint8Array(Math.min(most, Math.max(body.length * 2, fill + more)));
  larger.set(body.subarray(0, fill));
  return larger;
}

function joined(front: Uint8Array, back: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(front.length + back.length);
  bytes.set(front);
  bytes.set(back, front.length);
  return bytes;
}
