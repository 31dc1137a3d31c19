import type { ObservableInput } from 'rxjs';
import type { Peer } from '../transport/channel.js';
import type { StreamSource } from '../connection/pump.js';
import type { Stream } from '../connection/stream.js';
import { encodeText } from '../wire/text.js';

/** A request as a service sees it. */
export interface IncomingRequest {
  /** The name on the SERVICE line. */
  readonly service: string;
  /** Everything behind the SERVICE line, byte for byte: the OPTIONS line first, then what the service takes. */
  readonly arguments: Uint8Array;
  /** The name on the SECURITY line; undefined where the driver has none. */
  readonly user: string | undefined;
  readonly peer: Peer;
  /** The protocol handle it came on. */
  readonly handle: number;
}

/**
 * One stream of a service: from what arrives to what is sent.
 *
 * When the source completes, our direction closes. When it errors, the connection ends, because only
 * that tells the peer that bytes are missing. Unread bytes are kept, and count against the receive
 * budget. A handler that wants none says `incoming.discard()`.
 */
export type StreamHandler = (incoming: Stream) => StreamSource;

/** One answer of a service. */
export interface ServiceReply {
  /** A partial reply (PREP) is followed by another one; the final reply (REP) is the last. */
  readonly kind: 'partial' | 'final';
  /** The text of the reply without its CONNECT line, byte for byte. */
  readonly body: Uint8Array;
  /** The streams by name, in the order in which CONNECT names them; undefined announces a stream that is not there (−1). Final replies only. */
  readonly streams?: Readonly<Record<string, StreamHandler | undefined>>;
}

/**
 * A service: from a request to its replies, the last one final.
 *
 * It is subscribed once a request and unsubscribed when the request is over or the connection ends:
 * that is the place to release what it holds. A request is over when all its streams have closed in
 * both directions, or in ours and the service has completed: one that goes on receiving after its
 * sources have ended does not complete before it has what it wants.
 */
export interface Service {
  (request: IncomingRequest): ObservableInput<ServiceReply>;
  /** Says, before the request is acknowledged, why the service cannot run (what stands behind `ERROR ` in the NAK); undefined, or nothing at all, when it can. Default: it can. */
  readonly check?: () => ObservableInput<string | undefined>;
}

/** What a reply is made of. */
export interface ReplyParts {
  /** The lines of the reply, without newlines; default none. */
  readonly lines?: readonly string[];
  readonly streams?: Readonly<Record<string, StreamHandler | undefined>>;
}

/** A final reply of lines and streams. */
export function reply({ lines = [], streams }: ReplyParts = {}): ServiceReply {
  return { kind: 'final', body: bodyOf(lines), ...(streams === undefined ? {} : { streams }) };
}

/** A partial reply: the lines that are known so far. */
export function partialReply(lines: readonly string[]): ServiceReply {
  return { kind: 'partial', body: bodyOf(lines) };
}

function bodyOf(lines: readonly string[]): Uint8Array {
  return encodeText(lines.map((line) => `${line}\n`).join(''));
}
