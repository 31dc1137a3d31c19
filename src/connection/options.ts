import { MOST_MILLISECONDS, withDefaultsIn, type Range } from '../wire/ranges.js';
import { MAX_PAYLOAD } from '../wire/frame.js';

/** The bounds of one connection; each default is safe against a hostile peer. */
export interface ConnectionOptions {
  /**
   * Bytes kept for readers before the channel is paused; each chunk is charged 512 more. May be
   * overrun by one read of the channel. Default 1 MiB.
   */
  readonly receiveBudget?: number;
  /**
   * Bytes that may wait on a saturated channel before the connection ends with `SEND_BUDGET`.
   * Default 16 MiB.
   */
  readonly sendBudget?: number;
  /** The largest payload that is accepted, in bytes. Default 4 MiB, which is Amanda's limit. */
  readonly maxPayload?: number;
  /**
   * Bytes at which the bytes of a stream are cut into frames, 1 to 4 MiB. Default 32 KiB, as in
   * Amanda.
   */
  readonly frameBytes?: number;
  /** Handles open at once; one more ends the connection with `TOO_MANY_HANDLES`. Default 1,024. */
  readonly maxHandles?: number;
  /**
   * Milliseconds without consumption on a paused connection until a stall is named. Default 30,000.
   */
  readonly stallAfter?: number;
  /**
   * `report` shows a stall in `flow`; `error` also ends the connection with `STALLED`. Default
   * `report`.
   */
  readonly onStall?: 'report' | 'error';
  /**
   * Whether frames of one tick leave together; those of accepted connections wait for a millisecond
   * at most. Default true. False sends each frame at once, as tests in virtual time need it.
   */
  readonly gather?: boolean;
}

const defaults: Required<ConnectionOptions> = {
  receiveBudget: 1_048_576,
  sendBudget: 16_777_216,
  maxPayload: MAX_PAYLOAD,
  frameBytes: 32_768,
  maxHandles: 1_024,
  stallAfter: 30_000,
  onStall: 'report',
  gather: true,
};

const ranges: Readonly<Partial<Record<keyof ConnectionOptions, Range>>> = {
  receiveBudget: [1, Number.MAX_SAFE_INTEGER],
  sendBudget: [1, Number.MAX_SAFE_INTEGER],
  maxPayload: [1, 0x7fff_ffff],
  frameBytes: [1, MAX_PAYLOAD],
  maxHandles: [1, 0x7fff_ffff],
  stallAfter: [1, MOST_MILLISECONDS],
};

/** A target gives the same options to each of its connections, so they are checked once. */
const known = new WeakMap<ConnectionOptions, Required<ConnectionOptions>>();

/** Options with their defaults. Errors with `BAD_ARGUMENT` for a value outside its range. */
export function withDefaults(options: ConnectionOptions): Required<ConnectionOptions> {
  const before = known.get(options);
  if (before !== undefined) return before;
  const all = withDefaultsIn<Required<ConnectionOptions>>(options, defaults, ranges);
  known.set(options, all);
  return all;
}
