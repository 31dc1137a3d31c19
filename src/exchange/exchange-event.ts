import type { Peer } from '../transport/channel.js';
import type { AmandaError } from '../wire/errors.js';
import type { ParsedRequest } from '../wire/request.js';
import type { TargetOutcome } from './target-machine.js';

/** What happened to one request, in order: `admitted` or `refused`, `replied`, `ended`. */
export type ExchangeEvent =
  | {
      readonly kind: 'admitted';
      readonly peer: Peer;
      readonly handle: number;
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
      readonly outcome: TargetOutcome;
      readonly error?: AmandaError | undefined;
      /** Bytes of the reply's text, and those handed to its streams. */
      readonly sent: number;
      /** Bytes of the request's arguments, and those that came on its streams. */
      readonly received: number;
    };
