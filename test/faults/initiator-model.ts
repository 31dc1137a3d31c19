import { packetTypes } from '../../src/wire/packet.js';
import { parseReply } from '../../src/wire/reply.js';
import { isAmandaError } from '../../src/wire/errors.js';

/** How bytes stop: their sender closes the channel, the channel breaks, or no more bytes come. */
export type Stop = 'ended' | 'reset' | 'silent';

export interface StreamSeen {
  readonly text: string;
  /** `complete`, the code of its error, or `open`. */
  readonly end: string;
}

/** What an initiator sees of its requests, its streams and its connection. */
export interface Outcome {
  /** For each request: `final`, or the code of its error. */
  readonly answers: readonly string[];
  readonly streams: ReadonlyMap<number, StreamSeen>;
  readonly ended: string;
}

/** What arrived for a handle, with a reader or without one. */
interface Arrived {
  text: string;
  isClosed: boolean;
}

/**
 * What an initiator must make of the bytes of a target when it asks on these handles, one after the
 * other. It is computed from all frames together, and of the tested code it uses only `parseReply`.
 */
export function mustCome(bytes: Uint8Array, handles: readonly number[], stop: Stop): Outcome {
  const { frames, broken, isInside } = framesIn(bytes);
  const waiting = new Map<number, Uint8Array[]>();
  const arrived = new Map<number, Arrived>();
  const wanted = new Set<number>();
  const answers: (string | undefined)[] = handles.slice(0, 1).map(() => undefined);
  const asked = (): number => handles[answers.length - 1] ?? 0;
  const isWaiting = (): boolean => answers.length > 0 && answers.at(-1) === undefined;

  const settle = (payload: Uint8Array): void => {
    if (payload.length === 0) answers[answers.length - 1] = 'CONNECTION_LOST';
    else if (payload[0] === packetTypes.NAK) answers[answers.length - 1] = 'REFUSED';
    else if (payload[0] === packetTypes.REP) {
      const announced = announcedBy(payload);
      answers[answers.length - 1] = announced === undefined ? 'BAD_REPLY' : 'final';
      for (const handle of announced ?? []) wanted.add(handle);
      if (answers.length < handles.length) answers.push(undefined);
    }
  };
  for (const { handle, payload } of frames) {
    if (handle > 0 && handle < asked()) continue;
    if (handle !== asked()) note(arrived, waiting, handle, payload);
    else if (isWaiting()) settle(payload);
    // What came for the next request before it was asked.
    while (isWaiting()) {
      const early = waiting.get(asked())?.shift();
      if (early === undefined) break;
      settle(early);
    }
  }
  const lost = broken ?? (stop === 'silent' ? undefined : 'CONNECTION_LOST');
  const ended =
    broken ??
    (stop === 'silent' ? 'open' : stop === 'ended' && !isInside ? 'complete' : 'CONNECTION_LOST');
  const streams = new Map<number, StreamSeen>();
  for (const handle of wanted) {
    const { text = '', isClosed = false } = arrived.get(handle) ?? {};
    streams.set(handle, { text, end: isClosed ? 'complete' : (lost ?? 'open') });
  }
  // Without a REP the request is sent anew, and then it is an ACK that does not come.
  return { answers: answers.map((answer) => answer ?? lost ?? 'ACK_TIMEOUT'), streams, ended };
}

function note(
  arrived: Map<number, Arrived>,
  waiting: Map<number, Uint8Array[]>,
  handle: number,
  payload: Uint8Array,
): void {
  const { text = '', isClosed = false } = arrived.get(handle) ?? {};
  // Nothing may follow a close.
  if (!isClosed)
    arrived.set(handle, {
      text: text + Buffer.from(payload).toString('latin1'),
      isClosed: payload.length === 0,
    });
  waiting.set(handle, [...(waiting.get(handle) ?? []), payload]);
}

/** The streams that a REP announces; undefined for one that cannot be read. */
function announcedBy(payload: Uint8Array): readonly number[] | undefined {
  const end = payload.indexOf(0, 1);
  try {
    return parseReply(payload.subarray(1, end < 0 ? undefined : end)).connect.flatMap(
      ({ handle }) => (handle === undefined ? [] : [handle]),
    );
  } catch (error) {
    if (isAmandaError(error, 'BAD_REPLY')) return undefined;
    throw error;
  }
}

interface Framed {
  readonly frames: readonly { readonly handle: number; readonly payload: Uint8Array }[];
  /** The code of what is no frame, from where on nothing counts. */
  readonly broken: string | undefined;
  /** Whether the bytes stop within a frame. */
  readonly isInside: boolean;
}

/**
 * For `FRAME_TOO_LARGE` and `TEXT_IN_CHANNEL`: which of them it is, is a guess at who sent the
 * bytes.
 */
const NO_FRAME = 'no frame';

/** The code of an error; one word for both of what is no frame. */
export function codeOf(error: unknown): string {
  if (isAmandaError(error, 'FRAME_TOO_LARGE') || isAmandaError(error, 'TEXT_IN_CHANNEL'))
    return NO_FRAME;
  return isAmandaError(error) ? error.code : `not ours: ${String(error)}`;
}

export function framesIn(bytes: Uint8Array): Framed {
  const frames: { handle: number; payload: Uint8Array }[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at + 8 <= bytes.length) {
    const length = view.getInt32(at);
    if (length < 0 || length > 4_194_304) return { frames, broken: NO_FRAME, isInside: true };
    if (at + 8 + length > bytes.length) break;
    frames.push({
      handle: view.getUint32(at + 4),
      payload: bytes.subarray(at + 8, at + 8 + length),
    });
    at += 8 + length;
  }
  return { frames, broken: undefined, isInside: at < bytes.length };
}
