import type { Observable } from 'rxjs';
import type { AmandaError } from '../wire/errors.js';
import type { Frame } from '../wire/frame.js';
import type { Flow } from './receive-budget.js';
import type { Stream } from './stream.js';

/** The streams of a connection whose packets travel in datagrams: they have TCP connections of their own. */
export interface SideStreams {
  /** Of all of them together. */
  readonly flow: Observable<Flow>;
  /** Whether a direction of any is open. */
  readonly isOpen: boolean;
  /** On an initiator: the stream that a reply has announced under this number. Connects when it has to. */
  stream(number: number): Stream;
  /** On a target: fresh streams, with somebody listening for the initiator. */
  announce(count: number): Observable<readonly Stream[]>;
  /** Ends them all; what is open errors with the reason. */
  end(reason: AmandaError): void;
}

/** What side streams tell the connection that they belong to. */
export interface SideOwner {
  /** A stream broke while it was open. */
  broken(reason: Error): void;
  /** For taps: bytes of a stream have come or gone. A close is a frame without a payload. */
  tap(direction: 'received' | 'sent', frame: Frame): void;
}
