import { isAmandaError } from '../wire/errors.js';
import { HEADER_BYTES } from '../wire/frame-header.js';
import { FrameDecoder, MAX_PAYLOAD, NO_BYTES } from '../wire/frame.js';
import type { Role } from '../wire/role.js';
import { Conversation, type ConversationError, type ConversationOptions } from './conversation.js';

/**
 * Observes the bytes of one connection, each direction cut anywhere, and emits what a
 * {@link Conversation} emits for their frames.
 *
 * At the first byte that is not a frame, an error event says where and why; the rest is counted.
 * The cuts do not change the result, except that `joins` joins what came in one chunk. It keeps the
 * front of one unfinished frame for each direction (8 KiB, or a longer preview), and never throws.
 * Source: PROTOCOL.md, "Frames".
 */
export class ConversationBytes {
  readonly #conversation: Conversation;
  readonly #directions: Readonly<Record<Role, ConversationDirection>>;

  constructor(options: ConversationOptions) {
    this.#conversation = new Conversation(options);
    this.#directions = {
      initiator: new ConversationDirection('initiator', this.#conversation),
      target: new ConversationDirection('target', this.#conversation),
    };
  }

  /** The connection begins. Default: with its first bytes. */
  begin(at: number): void {
    this.#conversation.begin(at);
  }

  /** Bytes were sent. Only the front of an unfinished frame is kept. */
  bytes(at: number, sender: Role, chunk: Uint8Array): void {
    this.#conversation.begin(at);
    this.#directions[sender].push(at, chunk);
    this.#conversation.flush();
  }

  /** Any other event of the connection, in words. */
  note(at: number, label: string): void {
    this.#conversation.note(at, label);
  }

  /** Ends the bytes of a side with an error, although the connection goes on. */
  lose(at: number, sender: Role, error: ConversationError): void {
    this.#directions[sender].lose(at, error);
  }

  /** A side has closed its direction, or has broken the connection; without a side, it is over. */
  end(at: number, sender: Role | undefined, error?: ConversationError): void {
    const isOver = sender === undefined || error !== undefined;
    if (isOver || sender === 'initiator') this.#directions.initiator.end(at);
    if (isOver || sender === 'target') this.#directions.target.end(at);
    this.#conversation.end(at, sender, error);
  }
}

/** One direction: its frames, of which it keeps the fronts, up to the first byte that is none. */
class ConversationDirection {
  readonly #sender: Role;
  readonly #conversation: Conversation;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerFill = 0;
  /** The front of the payload after that header, and how many of its bytes have come. */
  #front: Uint8Array = NO_BYTES;
  #payloadFill = 0;
  /** The start of the next frame, in bytes of this direction. */
  #offset = 0;
  /** Bytes from that start on, when they are no frames. */
  #unread: number | undefined;
  #hasEnded = false;

  constructor(sender: Role, conversation: Conversation) {
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
    this.#conversation.error(at, this.#sender, error);
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
      this.#error(at, cutPayload(this.#header, this.#payloadFill));
    else if (this.#headerFill > 0)
      this.#error(at, failureOf(this.#header.subarray(0, this.#headerFill)));
  }

  /** Takes a frame whose header is whole in the chunk; returns where the taken bytes end. */
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
            Math.min(length, this.#conversation.frontBytes),
          );
    this.#emit(at, uint32(chunk, from + 4), front, length);
    return start + length;
  }

  /** Takes a part of a header, or of the payload after it. */
  #pushPart(at: number, chunk: Uint8Array, from: number): number {
    if (this.#headerFill === HEADER_BYTES) return this.#pushPayload(at, chunk, from);
    const part = chunk.subarray(from, from + HEADER_BYTES - this.#headerFill);
    this.#header.set(part, this.#headerFill);
    this.#headerFill += part.length;
    if (this.#headerFill === HEADER_BYTES) {
      if (uint32(this.#header, 0) > MAX_PAYLOAD) {
        this.#unread = HEADER_BYTES;
        // Made from the header alone, so that the cuts do not change it.
        this.#error(at, failureOf(this.#header));
      } else if (uint32(this.#header, 0) === 0) this.#finish(at);
    }
    return from + part.length;
  }

  #pushPayload(at: number, chunk: Uint8Array, from: number): number {
    const length = uint32(this.#header, 0);
    const end = Math.min(chunk.length, from + length - this.#payloadFill);
    const room = Math.min(length, this.#conversation.frontBytes);
    if (this.#payloadFill < room) {
      // Allocated with the first byte: a header alone must not take memory.
      if (this.#payloadFill === 0) this.#front = new Uint8Array(room);
      this.#front.set(
        chunk.subarray(from, Math.min(end, from + room - this.#payloadFill)),
        this.#payloadFill,
      );
    }
    this.#payloadFill += end - from;
    if (this.#payloadFill === length) this.#finish(at);
    return end;
  }

  #finish(at: number): void {
    const front = this.#front;
    this.#front = NO_BYTES;
    this.#payloadFill = 0;
    this.#headerFill = 0;
    this.#emit(at, uint32(this.#header, 4), front, uint32(this.#header, 0));
  }

  #emit(at: number, handle: number, front: Uint8Array, length: number): void {
    this.#offset += HEADER_BYTES + length;
    this.#conversation.frame(at, this.#sender, handle, front, length);
  }

  #error(at: number, { code, message }: ConversationError): void {
    this.#conversation.error(at, this.#sender, {
      code,
      message: `Byte ${this.#offset} of the ${this.#sender}: ${message}`,
    });
  }
}

function uint32(bytes: Uint8Array, at: number): number {
  // The caller ensures that the four bytes exist.
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
