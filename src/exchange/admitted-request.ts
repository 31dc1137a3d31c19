import { asyncScheduler } from 'rxjs';
import { isStreamNotTaken } from '../connection/connection-errors.js';
import { describePeer, type Peer } from '../transport/channel.js';
import { AmandaError, isAmandaError } from '../wire/errors.js';
import type { ParsedRequest } from '../wire/request.js';
import { requestSubject, type RequestSubject } from '../wire/dle/requested-disks.js';
import { messageOf, printable } from '../wire/text.js';
import { DumpVerdict } from './dump-verdict.js';
import type { ExchangeEvent, RequestOutcome } from './exchange-event.js';
import type { RunningStream } from './run-streams.js';
import type { TargetOutcome } from './target-machine.js';

/** The most reported failures that are kept of a request, and the characters of a reason. */
const MAX_REPORTED = 16;
const MAX_REASON = 1_000;

/** The part of an `ended` event that says how a request ended. */
export type RequestEnd = Pick<
  Extract<ExchangeEvent, { kind: 'ended' }>,
  'outcome' | 'error' | 'service' | 'disk' | 'level' | 'seconds'
>;

/** What the events say about a request that runs. */
export class AdmittedRequest {
  readonly subject: RequestSubject;
  readonly #peer: Peer;
  readonly #handle: number;
  readonly #verdict: DumpVerdict;
  readonly #since = asyncScheduler.now();
  readonly #reported: unknown[] = [];

  constructor(request: ParsedRequest, peer: Peer, handle: number) {
    this.subject = requestSubject(request);
    this.#peer = peer;
    this.#handle = handle;
    this.#verdict = new DumpVerdict(request.service);
  }

  /** The service has replied. */
  replied(body: Uint8Array): void {
    this.#verdict.replied(body);
  }

  /** The service has reported a failure, for the events alone. */
  reported(error: unknown): void {
    if (this.#reported.length < MAX_REPORTED) this.#reported.push(error);
  }

  /** Sees what the service says on the streams of its reply. */
  observing(streams: readonly RunningStream[]): readonly RunningStream[] {
    const observer = this.#verdict;
    return streams.map((one) => (observer.watches(one.name) ? { ...one, observer } : one));
  }

  end(outcome: TargetOutcome, error: AmandaError | undefined): RequestEnd {
    const failure = this.#failure(error);
    const about = { ...this.subject, seconds: (asyncScheduler.now() - this.#since) / 1_000 };
    return failure === undefined
      ? { outcome, error, ...about }
      : { outcome: failedOutcome(outcome), error: failure, ...about };
  }

  /** Why the service failed; undefined if it did not. */
  #failure(error: AmandaError | undefined): AmandaError | undefined {
    if (isStreamNotTaken(error)) return error;
    if (error?.code === 'SERVICE_FAILED' && !this.#isLoss(error.cause)) return error;
    const [reported, ...more] = this.#reported;
    const told = [...new Set(this.#reported.map(messageOf))].join('; ') || this.#verdict.failure;
    if (told === undefined) return undefined;
    return new AmandaError(
      'SERVICE_FAILED',
      `The service ${this.subject.service} failed: ${printable(told, MAX_REASON)}`,
      {
        cause: more.length > 0 ? new AggregateError(this.#reported) : (reported ?? error),
        peer: describePeer(this.#peer),
        handle: this.#handle,
      },
    );
  }

  /** Whether a service failed only because it read from the connection that was lost. */
  #isLoss(cause: unknown): boolean {
    return isAmandaError(cause, 'CONNECTION_LOST') && cause.peer === describePeer(this.#peer);
  }
}

/** A failure shows unless the request did not get as far as that. */
function failedOutcome(outcome: TargetOutcome): RequestOutcome {
  return outcome === 'completed' || outcome === 'lost' ? 'failed' : outcome;
}
