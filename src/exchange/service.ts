import type { ObservableInput } from 'rxjs';
import type { Readable } from 'node:stream';
import type { Peer } from '../connection/channel.js';
import type { Stream } from '../connection/stream.js';

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

/** What a stream sends. Async iterables and Readables are pulled as fast as the peer takes the bytes; a plain Observable cannot be slowed and counts against the send budget. */
export type StreamSource = ObservableInput<Uint8Array> | Readable;

/** One stream of a service: takes what arrives, gives what is to be sent. The direction is closed when the source completes. */
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
 * It is subscribed once a request and unsubscribed when the request's last stream has closed, when
 * the exchange fails, or when the connection ends: that is the place to release what it holds.
 */
export type Service = (request: IncomingRequest) => ObservableInput<ServiceReply>;
