import type { Sender } from '../../../capture/tcp-reassembly.js';
import type { TapChange } from '../../../tap/tap-change.js';
import { isAmandaError } from '../../../wire/errors.js';
import { HEADER_BYTES } from '../../../wire/frame-header.js';
import { FrameDecoder } from '../../../wire/frame.js';
import { isProtocolHandle } from '../../../wire/handles.js';
import { decodePacket } from '../../../wire/packet.js';
import { parseReply } from '../../../wire/reply.js';
import { printable, decodeText } from '../../../wire/text.js';
import { endText, type SavedEvent } from './draw-event.js';

/** A line of the list, as a program reads it. Sizes and offsets are bytes; `time` is seconds since the first connection began. */
export type ListedStep = { readonly time: number; readonly connection: number } & (
  | { readonly kind: 'open'; readonly from: string; readonly to: string; readonly isWhole: boolean }
  | ListedFrame
  | { readonly kind: 'end'; readonly sender: Sender; readonly offset: number }
  | { readonly kind: 'reset'; readonly sender: Sender; readonly offset: number }
  /** From here on nothing of this side can be read. */
  | {
      readonly kind: 'stop';
      readonly sender: Sender;
      readonly offset: number;
      readonly code: string;
      readonly message: string;
    }
  | { readonly kind: 'unfinished' }
);

export interface ListedFrame {
  /** A packet's type, `data` or `close`. */
  readonly kind: 'REQ' | 'REP' | 'PREP' | 'ACK' | 'NAK' | 'BOGUS' | 'data' | 'close';
  readonly sender: Sender;
  /** Where the frame begins in what its sender has sent. */
  readonly offset: number;
  readonly handle: number;
  /** The name that a reply gave the stream. */
  readonly stream?: string;
  readonly bytes: number;
  /** The beginning of the payload, of a packet without its type and NUL: as text if it is text, else in hexadecimal. */
  readonly text?: string;
  readonly hex?: string;
  /** Whether that is not all of it. */
  readonly isCut?: true;
}

export interface FrameListOptions {
  /** Bytes of a payload that are shown, default 400. */
  readonly shown?: number;
}

const DEFAULT_SHOWN = 400;
/** Of bytes that are no text fewer say as much. */
const SHOWN_HEX = 32;

/** Lists the frames of saved conversations, in bounded memory. Nothing in the conversations makes it throw. */
export class FrameList {
  readonly #tell: (step: ListedStep) => void;
  readonly #shown: number;
  readonly #connections = new Map<number, Listed>();
  #start: number | undefined;

  constructor(tell: (step: ListedStep) => void, { shown = DEFAULT_SHOWN }: FrameListOptions = {}) {
    this.#tell = tell;
    this.#shown = shown;
  }

  take(event: SavedEvent): void {
    const { connection, at } = event;
    this.#start ??= at;
    const time = Math.round((at - this.#start) * 1e3) / 1e6;
    const step = { time, connection };
    if (event.kind === 'opened') {
      this.#connections.set(connection, {
        initiator: new ListedSide(),
        target: new ListedSide(),
        names: new Map(),
      });
      this.#tell({
        ...step,
        kind: 'open',
        from: endText(event.from),
        to: endText(event.to),
        isWhole: event.isWhole,
      });
      return;
    }
    const listed = this.#connections.get(connection);
    if (listed === undefined) return;
    if (event.kind === 'closed') {
      this.#connections.delete(connection);
      if (!event.isComplete) this.#tell({ ...step, kind: 'unfinished' });
      return;
    }
    const { sender } = event;
    const side = listed[sender];
    const stop = (code: string, message: string): void => {
      this.#tell({ ...step, kind: 'stop', sender, offset: side.offset, code, message });
    };
    if (event.kind === 'bytes') {
      side.push(
        event.bytes,
        (handle, payload) =>
          this.#tell({ ...step, ...this.#frame(listed, sender, side.offset, handle, payload) }),
        stop,
      );
      return;
    }
    if (event.kind === 'lost') stop(event.error.code, event.error.message);
    else {
      side.finish(stop);
      this.#tell({
        ...step,
        kind: event.kind === 'ended' ? 'end' : 'reset',
        sender,
        offset: side.received,
      });
    }
  }

  #frame(
    { names }: Listed,
    sender: Sender,
    offset: number,
    handle: number,
    payload: Uint8Array,
  ): ListedFrame {
    const stream = names.get(handle);
    const frame = {
      sender,
      offset,
      handle,
      ...(stream === undefined ? {} : { stream }),
      bytes: payload.length,
    };
    if (payload.length === 0) return { ...frame, kind: 'close' };
    if (!isProtocolHandle(handle) || stream !== undefined)
      return { ...frame, kind: 'data', ...this.#beginning(payload) };
    const { type, body } = decodePacket(payload);
    if (sender === 'target' && (type === 'REP' || type === 'PREP')) announce(names, body);
    return { ...frame, kind: type, ...this.#beginning(body) };
  }

  #beginning(bytes: Uint8Array): Pick<ListedFrame, 'text' | 'hex' | 'isCut'> {
    if (bytes.length === 0) return {};
    const front = bytes.subarray(0, this.#shown);
    const isText = isMostlyText(front);
    const shown = isText ? front : front.subarray(0, SHOWN_HEX);
    const cut = shown.length < bytes.length ? { isCut: true as const } : {};
    return isText
      ? { text: decodeText(shown), ...cut }
      : { hex: Buffer.from(shown).toString('hex'), ...cut };
  }
}

/** A step as a line for a person: `     0.988112 #1 > @0 handle 1: REQ, 387 bytes "SECURITY USER backup\n…"`. */
export function listLine(step: ListedStep): string {
  const begin = front(step.time, step.connection);
  if (step.kind === 'open')
    return `${begin} open ${step.from} -> ${step.to}${step.isWhole ? '' : ' (its beginning is missing)'}`;
  if (step.kind === 'unfinished') return `${begin} not ended where the file ends`;
  const place = `${begin} ${step.sender === 'initiator' ? '>' : '<'} @${step.offset}`;
  if (step.kind === 'end' || step.kind === 'reset') return `${place} ${step.kind}`;
  if (step.kind === 'stop') return `${place} stop: ${step.code} ${step.message}`;
  const name = `handle ${step.handle}${step.stream === undefined ? '' : ` ${step.stream}`}`;
  if (step.kind === 'close') return `${place} ${name}: close`;
  const shown =
    step.text === undefined
      ? step.hex === undefined
        ? ''
        : ` ${step.hex}`
      : ` "${printable(step.text, Infinity)}"`;
  return `${place} ${name}: ${step.kind}, ${step.bytes} bytes${shown}${step.isCut === true ? '…' : ''}`;
}

/** A step of a recording as such a line, which has the lane for the handle. */
export function changeLine(change: TapChange): string {
  const { connection } = change;
  if (change.kind === 'opened')
    return `${front(0, connection)} open ${change.peer.address ?? 'a pipe'} -> ${printable(change.target)}\n`;
  if (change.kind === 'closed')
    return `             #${connection} closed: ${printable(change.reason)}\n`;
  if (change.change.kind !== 'event') return '';
  const { lane, event } = change.change;
  const arrow = event.direction === undefined ? '-' : event.direction === 'out' ? '>' : '<';
  return `${front(event.at / 1e3, connection)} ${arrow} ${printable(lane)}: ${printable(event.label, 400)}\n`;
}

function front(seconds: number, connection: number): string {
  return `${seconds.toFixed(6).padStart(12)} #${connection}`;
}

interface Listed {
  readonly initiator: ListedSide;
  readonly target: ListedSide;
  /** Of streams, by their handle. */
  readonly names: Map<number, string>;
}

/** What one side has sent. */
class ListedSide {
  readonly #decoder = new FrameDecoder();
  #isOver = false;
  /** Where the frame begins that is next. */
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

/** Names that are remembered of a connection's streams; real replies name four. */
const MAX_NAMES = 4_096;

function announce(names: Map<number, string>, body: Uint8Array): void {
  try {
    for (const { name, handle } of parseReply(body).connect)
      if (handle !== undefined && names.size < MAX_NAMES) names.set(handle, name);
  } catch (error) {
    // The reply is shown, and who reads it sees what is wrong with it.
    if (!isAmandaError(error)) throw error;
  }
}

/** Whether at most one byte in ten is none of a text. */
function isMostlyText(bytes: Uint8Array): boolean {
  let others = 0;
  for (const byte of bytes)
    if (
      byte === 0 ||
      byte === 0x7f ||
      (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)
    )
      others += 1;
  return others * 10 <= bytes.length;
}
