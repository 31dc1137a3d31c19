import type { Role } from '../wire/role.js';

/**
 * How a connection ended: both sides in good order, reset by one side, without reaching the target,
 * or broken by the tap.
 */
export type TapClosing = 'ended' | 'reset' | 'unreached' | 'stopped';

/** The address of the initiator. */
export interface TapPeer {
  /** Numeric; undefined for a pipe. */
  readonly address: string | undefined;
  readonly port: number | undefined;
}

/**
 * An event of a tap. `at` is in milliseconds since 1970, with a fraction, and never decreases.
 * `connection` counts from 1.
 */
export type TapEvent =
  | {
      readonly kind: 'opened';
      readonly connection: number;
      readonly at: number;
      readonly peer: TapPeer;
      readonly target: string;
    }
  /**
   * Passed on unchanged. The chunk is valid during the event; a subscriber that keeps it longer
   * holds its memory.
   */
  | {
      readonly kind: 'bytes';
      readonly connection: number;
      readonly at: number;
      readonly sender: Role;
      readonly chunk: Uint8Array;
    }
  /** The sender sends nothing more. */
  | {
      readonly kind: 'ended';
      readonly connection: number;
      readonly at: number;
      readonly sender: Role;
    }
  /**
   * The last event of its connection. `reason` is a sentence; `by` is the side that broke it, if
   * known.
   */
  | {
      readonly kind: 'closed';
      readonly connection: number;
      readonly at: number;
      readonly how: TapClosing;
      readonly by: Role | undefined;
      readonly reason: string;
    };

/**
 * The time in milliseconds since 1970, with a fraction. Unlike the time of day, it never goes back.
 */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
