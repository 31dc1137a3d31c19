import type { Sender } from '../../../capture/tcp-reassembly.js';
import type { AmandaError } from '../../../wire/errors.js';

/** What a saved conversation tells while it is read. `connection` counts from 1; `at` is milliseconds and never runs backwards. */
export type SavedEvent = { readonly connection: number; readonly at: number } & (
  | {
      readonly kind: 'opened';
      readonly from: SavedEnd;
      readonly to: SavedEnd;
      readonly isWhole: boolean;
    }
  /** Nobody writes into the chunk any more. */
  | { readonly kind: 'bytes'; readonly sender: Sender; readonly bytes: Uint8Array }
  | { readonly kind: 'ended'; readonly sender: Sender }
  /** The rest of what this side sent is missing. */
  | { readonly kind: 'lost'; readonly sender: Sender; readonly error: AmandaError }
  | { readonly kind: 'reset'; readonly sender: Sender }
  /** `isComplete`: both sides have ended, or one has broken it; else the file ends before the connection does. */
  | { readonly kind: 'closed'; readonly isComplete: boolean }
);

/** One end of a connection; raw files know only names. */
export interface SavedEnd {
  readonly name: string;
  readonly port: number | undefined;
}

/** `192.0.2.1:1023`, `[2001:db8::1]:1023`. */
export function endText({ name, port }: SavedEnd): string {
  if (port === undefined) return name;
  return name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`;
}
