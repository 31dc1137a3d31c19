import { isAmandaError } from '../wire/errors.js';
import { HEADER_BYTES } from '../wire/frame-header.js';
import { FrameDecoder, MAX_PAYLOAD, NO_BYTES } from '../wire/frame.js';
import {
  Conversation,
  type ConversationError,
  type ConversationOptions,
  type Side,
} from './conversation.js';

/**
 * Watches the bytes of one connection, each direction cut anywhere, and tells what a {@link Conversation} tells of their frames.
 *
 * Where a direction is no longer frames, an error event says at which byte and why; what comes behind it is only counted. It tells the
 * same whatever the cuts, except for what `joins` puts together, which is what came in one chunk; it keeps the front of one unfinished frame a
 * direction (8 KiB, or the preview if that is more), and never throws. Source: PROTOCOL.md, "Frames".
 */
export class ConversationBytes {
  readonly #conversation: Conversation;
  readonly #directions: Readonly<Record<Side, BytesOfOneSide>>;

  constructor(options: ConversationOptions) {
    this.#conversation = new Conversation(options);
    this.#directions = {
      initiator: new BytesOfOneSide('initiator', this.#conversation),
      target: new BytesOfOneSide('target', this.#conversation),
    };
  }

  /** The connection is there. Without this it begins with the first bytes. */
  begin(at: number): void {
    this.#conversation.begin(at);
  }

  /** Bytes were sent. They are not kept, but for the front of an unfinished frame. */
  bytes(at: number, sender: Side, chunk: Uint8Array): void {
    this.#conversation.begin(at);
    this.#directions[sender].push(at, chunk);
    this.#conversation.settle();
  }

  /** Something about the connection that has no shape of its own. */
  note(at: number, label: string): void {
    this.#conversation.note(at, label);
  }

  /** What a side sends from here on is not known; the connection is not over by that. */
  lose(at: number, sender: Side, error: ConversationError): void {
    this.#directions[sender].lose(at, error);
  }

  /** One side has ended its direction, or broken the connection with an error; without a side the connection is over. */
  end(at: number, sender: Side | undefined, error?: ConversationError): void {
    const isOver = sender === undefined || error !== undefined;
    if (isOver || sender === 'initiator') this.#directions.initiator.end(at);
    if (isOver || sender === 'target') this.#directions.target.end(at);
    this.#conversation.end(at, sender, error);
  }
}

/** One direction: its frames, of which the fronts alone are kept, and the place where it stops having any. */
class BytesOfOneSide {
  readonly #sender: Side;
  readonly #conversation: Conversation;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerFill = 0;
  /** What has come of the payload behind that header. */
  #front: Uint8Array = NO_BYTES;
  #come = 0;
  /** Where the next frame begins, in bytes of this direction. */
  #offset = 0;
  #unread: number | undefined;
  #hasEnded = false;

  constructor(sender: Side, conversation: Conversation) {
    this.#sender = sender;
    this.#conversation = conversation;
  }

  push(at: number, chunk: Uint8Array): void {
    if (this.#hasEnded) return;
    let from = 0;
    while (from < chunk.length && this.#unread === undefined) {
      from =
        this.#headerFill === 0 && chunk.length - from >= HEADER_BYTES
          ? this.#pushFrame(at, chunk, from)
          : this.#pushPart(at, chunk, from);
    }
    if (this.#unread !== undefined) this.#unread += chunk.length - from;
  }

  lose(at: number, error: ConversationError): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#conversation.refuse(at, this.#sender, error);
  }

  end(at: number): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (this.#unread !== undefined) {
      if (this.#unread > HEADER_BYTES)
        this.#conversation.note(
          at,
          `${this.#unread} bytes of the ${this.#sender} from byte ${this.#offset} on are no frames`,
        );
    } else if (this.#headerFill === HEADER_BYTES)
      this.#refuse(at, cutPayload(this.#header, this.#come));
    else if (this.#headerFill > 0)
      this.#refuse(at, failureOf(this.#header.subarray(0, this.#headerFill)));
  }

  /** Takes a frame that begins in the chunk with a whole header, as far as it goes; returns where that is. */
  #pushFrame(at: number, chunk: Uint8Array, from: number): number {
    const length = uint32(chunk, from);
    const start = from + HEADER_BYTES;
    if (length > MAX_PAYLOAD || chunk.length - start < length)
      return this.#pushPart(at, chunk, from);
    const front =
      length === 0
        ? NO_BYTES
        : new Uint8Array(
            chunk.buffer,
            chunk.byteOffset + start,
            Math.min(length, this.#conversation.front),
          );
    this.#tell(at, uint32(chunk, from + 4), front, length);
    return start + length;
  }

  /** Takes what there is of a header, or of the payload behind it. */
  #pushPart(at: number, chunk: Uint8Array, from: number): number {
    if (this.#headerFill === HEADER_BYTES) return this.#pushPayload(at, chunk, from);
    const part = chunk.subarray(from, from + HEADER_BYTES - this.#headerFill);
    this.#header.set(part, this.#headerFill);
    this.#headerFill += part.length;
    if (this.#headerFill === HEADER_BYTES) {
      if (uint32(this.#header, 0) > MAX_PAYLOAD) {
        this.#unread = HEADER_BYTES;
        // The error says the same whatever the cuts, since it is made from the header alone.
        this.#refuse(at, failureOf(this.#header));
      } else if (uint32(this.#header, 0) === 0) this.#finish(at);
    }
    return from + part.length;
  }

  #pushPayload(at: number, chunk: Uint8Array, from: number): number {
    const length = uint32(this.#header, 0);
    const end = Math.min(chunk.length, from + length - this.#come);
    const room = Math.min(length, this.#conversation.front);
    if (this.#come < room) {
      // Not before a byte of it has come: a header alone shall not take memory.
      if (this.#come === 0) this.#front = new Uint8Array(room);
      this.#front.set(chunk.subarray(from, Math.min(end, from + room - this.#come)), this.#come);
    }
    this.#come += end - from;
    if (this.#come === length) this.#finish(at);
    return end;
  }

  #finish(at: number): void {
    const front = this.#front;
    this.#front = NO_BYTES;
    this.#come = 0;
    this.#headerFill = 0;
    this.#tell(at, uint32(this.#header, 4), front, uint32(this.#header, 0));
  }

  #tell(at: number, handle: number, front: Uint8Array, length: number): void {
    this.#offset += HEADER_BYTES + length;
    this.#conversation.frame(at, this.#sender, handle, front, length);
  }

  #refuse(at: number, { code, message }: ConversationError): void {
    this.#conversation.refuse(at, this.#sender, {
      code,
      message: `Byte ${this.#offset} of the ${this.#sender}: ${message}`,
    });
  }
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

function cutPayload(header: Uint8Array, come: number): ConversationError {
  return {
    code: 'TRUNCATED',
    message: `The bytes end inside a frame for handle ${uint32(header, 4)}, ${come} of ${uint32(header, 0)} payload bytes in.`,
  };
}

/** What is wrong with a header that is bad, or has no end. */
function failureOf(header: Uint8Array): ConversationError {
  const decoder = new FrameDecoder();
  try {
    decoder.push(header);
    decoder.end();
  } catch (error) {
    if (!isAmandaError(error)) throw error;
    return { code: error.code, message: error.message };
  }
  return { message: 'This is no header of a frame.' };
}
