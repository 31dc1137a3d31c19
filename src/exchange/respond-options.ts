import type { Observable } from 'rxjs';
import type { Peer } from '../transport/channel.js';
import type { ParsedRequest } from '../wire/request.js';
import type { RunningRequests } from './running-requests.js';
import type { Service } from './service.js';
import type { Timing } from './timing.js';

/** Whether a request may run, and what runs for it. */
export type Admission =
  | {
      readonly kind: 'admitted';
      readonly request: ParsedRequest;
      readonly peer: Peer;
      readonly service: Service;
    }
  /** `reason` follows `ERROR ` in the NAK. */
  | { readonly kind: 'refused'; readonly reason: string; readonly request?: ParsedRequest };

/** What a target needs to answer the requests of one connection. */
export interface RespondOptions {
  /** Judges the body of a REQ. Emits once. */
  readonly admit: (body: Uint8Array) => Observable<Admission>;
  /** Emits when a handle is closed that began with a packet other than a REQ. */
  readonly refuseToBegin?: () => Observable<unknown>;
  readonly timing: Timing;
  /** Shared with the other handles of the connection. */
  readonly running: RunningRequests;
}
