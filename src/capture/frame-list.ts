import { isAmandaError } from '../wire/errors.js';
import { HEADER_BYTES, isProtocolHandle } from '../wire/frame-header.js';
import { FrameDecoder } from '../wire/frame.js';
import { decodePacket, type PacketType } from '../wire/packet.js';
import { parseReply } from '../wire/reply.js';
import type { Role } from '../wire/role.js';
import { decodeText } from '../wire/text.js';
import { endText, type SavedEvent } from './saved-event.js';

/**
 * One item of the list. Sizes and offsets are in bytes; `time` is in seconds since the first
 * connection began.
 */
export type ListedStep = { readonly time: number; readonly connection: number } & (
  | { readonly kind: 'open'; readonly from: string; readonly to: string; readonly isWhole: boolean }
  | ListedFrame
  | { readonly kind: 'end'; readonly sender: Role; readonly offset: number }
  | { readonly kind: 'reset'; readonly sender: Role; readonly offset: number }
  /** The rest of what the sender sent cannot be read. */
  | {
      readonly kind: 'stop';
      readonly sender: Role;
      readonly offset: number;
      readonly code: string;
      readonly message: string;
    }
  | { readonly kind: 'unfinished' }
);

export interface ListedFrame {
  readonly kind: PacketType | 'data' | 'close';
  readonly sender: Role;
  /** Where the frame begins in the bytes of its sender. */
  readonly offset: number;
  readonly handle: number;
  /** The name that a reply gave the stream. */
  readonly stream?: string;
  readonly bytes: number;
  /**
   * The beginning of the payload; of a packet without its type and NUL. It is `text` when most of
   * it is text, else hexadecimal.
   */
  readonly text?: string;
  readonly hex?: string;
  /** Set when the payload goes on. */
  readonly isCut?: true;
}

/** Bytes of a text that are listed, and of other payloads, which say less. */
const SHOWN_TEXT = 400;
const SHOWN_HEX = 32;

/** Lists the frames of saved conversations, in bounded memory. No conversation makes it throw. */
export class FrameList {
  readonly #emit: (step: ListedStep) => void;
  readonly #connections = new Map<number, Listed>();
  #start: number | undefined;

  constructor(emit: (step: ListedStep) => void) {
    this.#emit = emit;
  }

  take(event: SavedEvent): void {
    const { connection, at } = event;
    this.#start ??= at;
    const time = Math.round((at - this.#start) * 1e3) / 1e6;
    const step = { time, connection };
    if (event.kind === 'opened') {
      this.#connections.set(connection, {
        initiator: new ListedDirection(),
        target: new ListedDirection(),
        names: new Map(),
      });
      const { from, to, isWhole } = event;
      this.#emit({ ...step, kind: 'open', from: endText(from), to: endText(to), isWhole });
      return;
    }
    const listed = this.#connections.get(connection);
    if (listed === undefined) return;
    if (event.kind === 'closed') {
      this.#connections.delete(connection);
      if (!event.isComplete) this.#emit({ ...step, kind: 'unfinished' });
      return;
    }
    const { sender } = event;
    const direction = listed[sender];
    const stop = (code: string, message: string): void => {
      this.#emit({ ...step, kind: 'stop', sender, offset: direction.offset, code, message });
    };
    if (event.kind === 'bytes') {
      direction.push(
        event.bytes,
        (handle, payload) => {
          const frame = { sender, offset: direction.offset, handle };
          this.#emit({ ...step, ...frame, ...describe(listed.names, frame, payload) });
        },
        stop,
      );
      return;
    }
    if (event.kind === 'lost') {
      stop(event.error.code, event.error.message);
      return;
    }
    direction.finish(stop);
    const kind = event.kind === 'ended' ? 'end' : 'reset';
    this.#emit({ ...step, kind, sender, offset: direction.received });
  }
}

function describe(
  names: Map<number, string>,
  { sender, handle }: Pick<ListedFrame, 'sender' | 'handle'>,
  payload: Uint8Array,
): Omit<ListedFrame, 'sender' | 'offset' | 'handle'> {
  const stream = names.get(handle);
  const about = { ...(stream === undefined ? {} : { stream }), bytes: payload.length };
  if (payload.length === 0) return { ...about, kind: 'close' };
  if (!isProtocolHandle(handle) || stream !== undefined)
    return { ...about, kind: 'data', ...beginning(payload) };
  const { type, body } = decodePacket(payload);
  if (sender === 'target' && (type === 'REP' || type === 'PREP')) addNames(names, body);
  return { ...about, kind: type, ...beginning(body) };
}

function beginning(bytes: Uint8Array): Pick<ListedFrame, 'text' | 'hex' | 'isCut'> {
  if (bytes.length === 0) return {};
  const front = bytes.subarray(0, SHOWN_TEXT);
  const isText = isMostlyText(front);
  const shown = isText ? front : front.subarray(0, SHOWN_HEX);
  const cut = shown.length < bytes.length ? { isCut: true as const } : {};
  return isText
    ? { text: decodeText(shown), ...cut }
    : { hex: Buffer.from(shown).toString('hex'), ...cut };
}

interface Listed {
  readonly initiator: ListedDirection;
  readonly target: ListedDirection;
  /** The names of streams by handle. */
  readonly names: Map<number, string>;
}

/** Follows the frames that one side sends. */
class ListedDirection {
  readonly #decoder = new FrameDecoder();
  #isOver = false;
  /** Where the next frame begins. */
  offset = 0;
  received = 0;

  push(
    bytes: Uint8Array,
    frame: (handle: number, payload: Uint8Array) => void,
    stop: (code: string, message: string) => void,
  ): void {
    this.received += bytes.length;
    if (this.#isOver) return;
    this.#try(() => {
      this.#decoder.decode(bytes, (handle, payload) => {
        frame(handle, payload);
        this.offset += HEADER_BYTES + payload.length;
        return true;
      });
    }, stop);
  }

  finish(stop: (code: string, message: string) => void): void {
    if (this.#isOver) return;
    this.#try(() => {
      this.#decoder.end();
    }, stop);
    this.#isOver = true;
  }

  #try(action: () => void, stop: (code: string, message: string) => void): void {
    try {
      action();
    } catch (error) {
      if (!isAmandaError(error)) throw error;
      this.#isOver = true;
      stop(error.code, error.message);
    }
  }
}

/** The most stream names that are remembered of a connection. Real replies name four. */
const MAX_NAMES = 4_096;

function addNames(names: Map<number, string>, body: Uint8Array): void {
  try {
    for (const { name, handle } of parseReply(body).connect)
      if (handle !== undefined && names.size < MAX_NAMES) names.set(handle, name);
  } catch (error) {
    // The list shows the bad reply itself.
    if (!isAmandaError(error)) throw error;
  }
}

/** Whether at most one byte in ten is a control character other than tab, LF and CR. */
function isMostlyText(bytes: Uint8Array): boolean {
  let others = 0;
  for (const byte of bytes)
    if (byte === 0x7f || (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d))
      others += 1;
  return others * 10 <= bytes.length;
}
