import type { Change } from '../diagram/model.js';
import type { TapClosing, TapPeer } from './tap-event.js';

/**
 * A step of the conversations of a tap. `connection` counts from 1; each starts with `opened` and
 * ends with `closed`.
 *
 * `at` of `opened` and `closed` is in milliseconds since 1970. The times within `change` are in
 * milliseconds since the connection was opened.
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
