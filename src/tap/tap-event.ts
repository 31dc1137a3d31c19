import type { Role } from '../wire/role.js';

/** How a connection ended: both directions in good order, broken by one side, never reached the target, or given up by the tap. */
export type TapClosing = 'ended' | 'reset' | 'unreached' | 'stopped';

/** Who has connected to the tap. */
export interface TapPeer {
  /** Numeric; undefined for a pipe. */
  readonly address: string | undefined;
  readonly port: number | undefined;
}

/** What a tap sees. `at` is milliseconds since 1970, with a fraction, and never runs backwards. `connection` counts from 1. */
export type TapEvent =
  | {
      readonly kind: 'opened';
      readonly connection: number;
      readonly at: number;
      readonly peer: TapPeer;
      readonly target: string;
    }
  /** Passed on unchanged. Nobody writes into the chunk any more; keeping it keeps up to 256 KiB of memory. */
  | {
      readonly kind: 'bytes';
      readonly connection: number;
      readonly at: number;
      readonly sender: Role;
      readonly chunk: Uint8Array;
    }
  /** This side sends nothing more. */
  | {
      readonly kind: 'ended';
      readonly connection: number;
      readonly at: number;
      readonly sender: Role;
    }
  /** `reason` is a sentence. `by` is who broke it, where that is known. Always the last event of its connection. */
  | {
      readonly kind: 'closed';
      readonly connection: number;
      readonly at: number;
      readonly how: TapClosing;
      readonly by: Role | undefined;
      readonly reason: string;
    };
