/** Who sent: the side that connected, or the one that was connected to. */
export type TapSender = 'initiator' | 'target';

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
      readonly sender: TapSender;
      readonly chunk: Uint8Array;
    }
  /** This side sends nothing more. */
  | {
      readonly kind: 'ended';
      readonly connection: number;
      readonly at: number;
      readonly sender: TapSender;
    }
  /** `reason` is a sentence. `by` is who broke it, where that is known. Always the last event of its connection. */
  | {
      readonly kind: 'closed';
      readonly connection: number;
      readonly at: number;
      readonly how: TapClosing;
      readonly by: TapSender | undefined;
      readonly reason: string;
    };
