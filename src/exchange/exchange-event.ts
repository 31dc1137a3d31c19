import type { Peer } from '../transport/channel.js';
import type { AmandaError } from '../wire/errors.js';
import type { ParsedRequest } from '../wire/request.js';
import type { TargetOutcome } from './target-machine.js';

/**
 * How a request ended. `failed`: the service reported an error to the peer, or could not do so.
 * Others: see {@link TargetOutcome}.
 */
export type RequestOutcome = TargetOutcome | 'failed';

/** What happened to one request, in order: `admitted` or `refused`, `replied`, `ended`. */
export type ExchangeEvent =
  | {
      readonly kind: 'admitted';
      readonly peer: Peer;
      readonly handle: number;
      /** The disk, if the request names exactly one. */
      readonly disk?: string | undefined;
      /** The level, if the request names exactly one disk at one level. */
      readonly level?: number | undefined;
      readonly request: ParsedRequest;
    }
  | {
      readonly kind: 'refused';
      readonly peer: Peer;
      readonly handle: number;
      readonly reason: string;
      readonly request?: ParsedRequest | undefined;
    }
  | {
      readonly kind: 'replied';
      readonly peer: Peer;
      readonly handle: number;
      readonly streams: readonly string[];
    }
  | {
      readonly kind: 'ended';
      readonly peer: Peer;
      readonly handle: number;
      readonly outcome: RequestOutcome;
      /** Why the outcome is `failed` or `lost`. */
      readonly error?: AmandaError | undefined;
      /** Absent when the request was not admitted. */
      readonly service?: string | undefined;
      readonly disk?: string | undefined;
      readonly level?: number | undefined;
      /** From the verdict to the end; absent when the request was not admitted. */
      readonly seconds?: number | undefined;
      /** Bytes of the reply's text, and those handed to its streams. */
      readonly sent: number;
      /** Bytes of the request's arguments, and those that came on its streams. */
      readonly received: number;
    };
