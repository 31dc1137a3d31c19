import { MOST_MILLISECONDS, withDefaultsIn, type Range } from '../wire/ranges.js';

/** The times (in milliseconds) and counts of the exchange. Source: PROTOCOL.md, "Numbers". */
export interface Timing {
  /** How long one attempt to connect may take. */
  readonly connectTimeout: number;
  /** Attempts to connect (Amanda's `connect-tries`). */
  readonly connectTries: number;
  /** Pause between two attempts to connect. */
  readonly connectWait: number;
  /** How long the initiator waits for the ACK of a REQ. */
  readonly ackTimeout: number;
  /** How often a REQ is sent before the initiator gives up on its ACK (`req-tries`). */
  readonly requestTries: number;
  /** How long the initiator waits for the REP after the ACK; depends on the service. */
  readonly replyTimeout: number;
  /** How often the initiator starts over after a missing reply. */
  readonly replyRestarts: number;
  /** From the first REQ on; the initiator does not start over after this. */
  readonly restartsUntil: number;
  /** How long a service of the target may take for its reply. */
  readonly serviceTimeout: number;
  /** How long the target waits for the ACK of a REP before it sends the REP again. */
  readonly replyAckTimeout: number;
  /** How often the target sends a REP (`rep-tries`). */
  readonly replyTries: number;
  /** How long a target keeps an idle connection. */
  readonly idleTimeout: number;
}

/** The values of Amanda, and its `ctimeout` of 30 s for `replyTimeout`. */
export const defaultTiming: Timing = {
  connectTimeout: 20_000,
  connectTries: 3,
  connectWait: 5_000,
  ackTimeout: 10_000,
  requestTries: 3,
  replyTimeout: 30_000,
  replyRestarts: 2,
  restartsUntil: 3_600_000,
  serviceTimeout: 21_600_000,
  replyAckTimeout: 10_000,
  replyTries: 5,
  idleTimeout: 30_000,
};

const milliseconds: Range = [0, MOST_MILLISECONDS];
const times: Range = [1, 1_000_000];

const ranges: Readonly<Record<keyof Timing, Range>> = {
  connectTimeout: milliseconds,
  connectTries: times,
  connectWait: milliseconds,
  ackTimeout: milliseconds,
  requestTries: times,
  replyTimeout: milliseconds,
  replyRestarts: [0, 1_000_000],
  restartsUntil: milliseconds,
  serviceTimeout: milliseconds,
  replyAckTimeout: milliseconds,
  replyTries: times,
  idleTimeout: milliseconds,
};

/**
 * The options with their defaults. Errors with `BAD_ARGUMENT` for a time over a timer's longest and
 * for a count out of range.
 */
export function timingWith(options: Partial<Timing>): Timing {
  return withDefaultsIn(options, defaultTiming, ranges);
}
