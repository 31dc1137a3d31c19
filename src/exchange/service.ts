import type { ObservableInput } from 'rxjs';
import type { Peer } from '../transport/channel.js';
import type { StreamSource } from '../connection/pump.js';
import type { Stream } from '../connection/stream.js';
import { checkArgument, checkOptions } from '../wire/arguments.js';
import { encodeText } from '../wire/text.js';

/** A request as a service sees it. */
export interface IncomingRequest {
  /** The name on the SERVICE line. */
  readonly service: string;
  /** All bytes after the SERVICE line: the OPTIONS line first, then what the service takes. */
  readonly arguments: Uint8Array;
  /** The name on the SECURITY line; undefined for a driver without one. */
  readonly user: string | undefined;
  /** The initiator, as far as the driver knows it. */
  readonly peer: Peer;
  /** The protocol handle that it arrived on. */
  readonly handle: number;
  /**
   * Reports why the service fails, for the events of this target. The peer hears only what the
   * service tells it. Optional; absent in a request that no target has received.
   */
  readonly reportFailure?: (error: unknown) => void;
}

/**
 * One stream of a service: from what arrives to what is sent.
 *
 * When the source completes, our direction closes. When it errors, the connection ends, because
 * only that tells the peer that bytes are missing. Unread bytes are kept, and count against the
 * receive budget. A handler that wants none says `incoming.discard()`.
 */
export type StreamHandler = (incoming: Stream) => StreamSource;

/** One answer of a service. */
export interface ServiceReply {
  /** A partial reply (PREP) is followed by another one; the final reply (REP) is the last. */
  readonly kind: 'partial' | 'final';
  /** The bytes of the reply without its CONNECT line. */
  readonly body: Uint8Array;
  /**
   * The streams of a final reply by name, in the order of the CONNECT line; undefined announces a
   * stream that does not exist (−1).
   */
  readonly streams?: Readonly<Record<string, StreamHandler | undefined>>;
}

/**
 * A service: from a request to its replies, the last one final.
 *
 * It is subscribed once a request, and unsubscribed when the request is over or the connection
 * ends; there it releases what it holds. A request is over when all its streams have closed in both
 * directions, or in ours and the service has completed. A service that receives more after its
 * sources have ended therefore completes later.
 */
export interface Service {
  (request: IncomingRequest): ObservableInput<ServiceReply>;
  /**
   * Asked before the ACK: why the service cannot run (the text after `ERROR ` in the NAK). It can
   * if this is absent, or gives undefined or no value.
   */
  readonly check?: () => string | undefined | ObservableInput<string | undefined>;
}

/** The parts of a final reply. */
export interface ReplyParts {
  /** The lines of the reply, without newlines; default none. */
  readonly lines?: readonly string[];
  /**
   * The streams by name: a letter, then up to 63 letters, digits, `-` and `_`. Undefined ones are
   * left out.
   */
  readonly streams?: Readonly<Record<string, StreamHandler | undefined>>;
}

/** A final reply of lines and streams. */
export function reply(parts: ReplyParts = {}): ServiceReply {
  checkOptions('reply', parts, { lines: 'strings?', streams: 'object?' });
  const { lines = [], streams } = parts;
  return { kind: 'final', body: bodyOf(lines), ...(streams === undefined ? {} : { streams }) };
}

/** A partial reply: the lines that are known so far. */
export function partialReply(lines: readonly string[]): ServiceReply {
  checkArgument('The lines of partialReply', lines, 'strings');
  return { kind: 'partial', body: bodyOf(lines) };
}

function bodyOf(lines: readonly string[]): Uint8Array {
  return encodeText(lines.map((line) => `${line}\n`).join(''));
}
