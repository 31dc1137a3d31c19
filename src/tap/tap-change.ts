import type { Change } from '../diagram/model.js';
import type { TapClosing, TapPeer } from './tap-event.js';

/**
 * What becomes of the conversations of a tap. `connection` counts from 1; each starts with `opened` and ends with `closed`.
 *
 * `at` of `opened` and `closed` is milliseconds since 1970; the times within `change` are milliseconds since its connection was opened.
 */
export type TapChange =
  | {
      readonly kind: 'opened';
      readonly connection: number;
      readonly at: number;
      readonly peer: TapPeer;
      readonly target: string;
    }
  | { readonly kind: 'change'; readonly connection: number; readonly change: Change }
  /** `reason` is a sentence. */
  | {
      readonly kind: 'closed';
      readonly connection: number;
      readonly at: number;
      readonly how: TapClosing;
      readonly reason: string;
    };
