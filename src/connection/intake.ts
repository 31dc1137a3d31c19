import { HEADER_BYTES } from '../wire/frame-header.js';
import { FrameDecoder } from '../wire/frame.js';
import type { Channel } from '../transport/channel.js';
import { Fifo } from '../transport/fifo.js';
import { keepHere } from '../transport/keep-here.js';

/** How a channel has ended: broken by an error, or hung up in good order. */
export interface ChannelEnd {
  readonly error?: unknown;
}

/** Whom an intake serves. */
export interface IntakeOwner {
  /** A frame has arrived, `together` with the one before or in a read of its own. */
  frame(handle: number, payload: Uint8Array, together: boolean): void;
  /** What has arrived cannot be decoded, or the owner has failed at a frame. */
  failed(error: unknown): void;
  /** The channel has ended, and all that came before is delivered. */
  ended(end: ChannelEnd): void;
}

/**
 * What a channel brings, decoded as far as the receive budget allows.
 *
 *     chunks  -(12)-3(45)------6|
 *     budget  -free-used-free------
 *     frames  -12--------345---6|
 *
 * Behind the end of the channel everything is delivered: no more will come, and a reader that first has to send something would
 * wait for a channel that takes nothing any more.
 */
export class Intake {
  readonly #channel: Channel;
  readonly #budget: { readonly paused: boolean };
  readonly #owner: IntakeOwner;
  readonly #decoder: FrameDecoder;
  /** Chunks, or rests of them, that arrived while the budget was used up or another chunk was in work. */
  readonly #waiting = new Fifo<Uint8Array>();
  /** Who is told when what has been read is delivered. */
  #listeners: (() => void)[] = [];
  /** The chunk that is being decoded, until its memory is known to stay here. */
  #unkept: Uint8Array | undefined;
  #isDecoding = false;
  /** A frame of the chunk that is being decoded has been delivered. */
  #isTogether = false;
  #isOver = false;
  #end: ChannelEnd | undefined;

  /** `maxPayload`: bytes of one frame at the most. While the budget is `paused` nothing is delivered. */
  constructor(
    channel: Channel,
    maxPayload: number,
    budget: { readonly paused: boolean },
    owner: IntakeOwner,
  ) {
    this.#channel = channel;
    this.#budget = budget;
    this.#owner = owner;
    this.#decoder = new FrameDecoder({
      maxPayload,
      lasting: true,
      headroom: channel.memory?.headroom ?? 0,
      copied: this.#giveBackCopied,
    });
  }

  /** A chunk has arrived. */
  push(chunk: Uint8Array): void {
    if (this.#isOver) return;
    this.#waiting.push(chunk);
    this.work();
  }

  /** No more will arrive. */
  finish(end: ChannelEnd): void {
    this.#end = end;
    this.work();
  }

  /** Decodes what there is until the budget is used up; never inside itself, since a reader may answer and be answered at once. */
  work(): void {
    if (this.#isDecoding) return;
    this.#isDecoding = true;
    try {
      while (this.#goesOn) {
        const chunk = this.#waiting.shift();
        if (chunk === undefined) break;
        this.#unkept = chunk;
        this.#isTogether = false;
        const taken = this.#decoder.decode(chunk, this.#deliver);
        if (taken < chunk.length) this.#waiting.unshift(chunk.subarray(taken));
      }
      this.#channel.memory?.expect(this.#decoder.missing, this.#decoder.frameSize);
    } catch (error) {
      this.#owner.failed(error);
    } finally {
      this.#isDecoding = false;
      this.#unkept = undefined;
    }
    if (this.#listeners.length > 0) this.#tellDelivered();
    if (this.#end !== undefined && this.#waiting.size === 0) this.#owner.ended(this.#end);
  }

  /** Errors with `TRUNCATED` when what has arrived ends inside a frame. */
  requireWhole(): void {
    this.#decoder.end();
  }

  /** Calls back once all that was read together with the frame that is being delivered has been delivered. */
  whenDelivered(tell: () => void): void {
    this.#listeners.push(tell);
  }

  /** Has the memory of the frame that is being delivered stay in this thread, unless it has it for itself. */
  keepHere(): void {
    if (this.#unkept === undefined) return;
    keepHere(this.#unkept);
    this.#unkept = undefined;
  }

  /** A payload is not needed any more: its memory, and that of the header in front of it, may be written to again. */
  giveBack({ buffer, byteOffset, length }: Uint8Array): void {
    this.#channel.memory?.giveBack(buffer, byteOffset - HEADER_BYTES, byteOffset + length);
  }

  /** Drops what waits; nothing is delivered from now on. */
  stop(): void {
    this.#isOver = true;
    this.#waiting.clear();
  }

  get #goesOn(): boolean {
    return !this.#isOver && (this.#end !== undefined || !this.#budget.paused);
  }

  readonly #deliver = (handle: number, payload: Uint8Array): boolean => {
    this.#owner.frame(handle, payload, this.#isTogether);
    this.#isTogether = true;
    return this.#goesOn;
  };

  readonly #giveBackCopied = ({ buffer, byteOffset, length }: Uint8Array): void => {
    this.#channel.memory?.giveBack(buffer, byteOffset, byteOffset + length);
  };

  #tellDelivered(): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const tell of listeners) tell();
  }
}
