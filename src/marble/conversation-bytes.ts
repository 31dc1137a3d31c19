import { isAmandaError } from '../wire/errors.js';
import { FrameDecoder, HEADER_BYTES } from '../wire/frame.js';
import { Conversation, type ConversationError, type ConversationOptions, type Side } from './conversation.js';

/**
 * Watches the bytes of one connection, each direction cut anywhere, and tells what a {@link Conversation} tells of their frames.
 *
 * Where a direction is no longer frames, an error event says at which byte and why; what comes behind it is only counted. It tells the
 * same whatever the cuts, keeps one unfinished frame a direction (4 MiB at the most), and never throws. Source: PROTOCOL.md, "Frames".
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

  /** Bytes were sent. They are not kept, but for an unfinished frame's. */
  bytes(at: number, sender: Side, chunk: Uint8Array): void {
    this.#conversation.begin(at);
    this.#directions[sender].push(at, chunk);
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

/** One direction: its frames, and the place where it stops having any. */
class BytesOfOneSide {
  readonly #sender: Side;
  readonly #conversation: Conversation;
  readonly #decoder = new FrameDecoder();
  /** The front of a header that is not complete. */
  #front: Uint8Array = new Uint8Array(0);
  /** Where the next frame begins, in bytes of this direction. */
  #offset = 0;
  /** Where the next chunk begins. */
  #received = 0;
  #unread: number | undefined;
  #hasEnded = false;

  constructor(sender: Side, conversation: Conversation) {
    this.#sender = sender;
    this.#conversation = conversation;
  }

  push(at: number, chunk: Uint8Array): void {
    if (this.#hasEnded) return;
    if (this.#unread !== undefined) {
      this.#unread += chunk.length;
      return;
    }
    try {
      this.#decoder.decode(chunk, (handle, payload) => {
        this.#offset += HEADER_BYTES + payload.length;
        this.#conversation.frame(at, this.#sender, handle, payload);
        return true;
      });
      this.#keepFront(chunk);
      this.#received += chunk.length;
    } catch (error) {
      if (!isAmandaError(error)) throw error;
      this.#refuse(at, this.#badHeader(chunk));
      this.#unread = this.#received + chunk.length - this.#offset;
    }
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
      if (this.#unread > HEADER_BYTES) this.#conversation.note(at, `${this.#unread} bytes of the ${this.#sender} from byte ${this.#offset} on are no frames`);
      return;
    }
    const error = failureOf(() => {
      this.#decoder.end();
    });
    if (error !== undefined) this.#refuse(at, error);
  }

  #refuse(at: number, { code, message }: ConversationError): void {
    this.#conversation.refuse(at, this.#sender, { code, message: `Byte ${this.#offset} of the ${this.#sender}: ${message}` });
  }

  /** The error says the same whatever the cuts, since it is made from the header alone. */
  #badHeader(chunk: Uint8Array): ConversationError {
    const start = this.#offset - this.#received;
    const header = new Uint8Array(HEADER_BYTES);
    if (start < 0) header.set(this.#front);
    header.set(chunk.subarray(Math.max(0, start), start + HEADER_BYTES), Math.max(0, -start));
    return (
      failureOf(() => {
        new FrameDecoder().push(header);
      }) ?? { message: 'This is no header of a frame.' }
    );
  }

  #keepFront(chunk: Uint8Array): void {
    const { pending } = this.#decoder;
    if (pending === 0 || pending >= HEADER_BYTES) {
      if (this.#front.length > 0) this.#front = new Uint8Array(0);
      return;
    }
    const fresh = chunk.subarray(Math.max(0, chunk.length - pending));
    const kept = new Uint8Array(pending);
    kept.set(this.#front.subarray(0, pending - fresh.length));
    kept.set(fresh, pending - fresh.length);
    this.#front = kept;
  }
}

function failureOf(action: () => void): ConversationError | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (!isAmandaError(error)) throw error;
    return { code: error.code, message: error.message };
  }
}
