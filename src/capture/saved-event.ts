import type { AmandaError } from '../wire/errors.js';
import type { Role } from '../wire/role.js';

/**
 * One event of a saved conversation. `connection` counts from 1; `at` is in milliseconds and never
 * decreases.
 */
export type SavedEvent = { readonly connection: number; readonly at: number } & (
  | {
      readonly kind: 'opened';
      readonly from: SavedEnd;
      readonly to: SavedEnd;
      /** False when the file begins in the middle of the connection. */
      readonly isWhole: boolean;
    }
  /** The chunk is the receiver's to keep, and never changes. */
  | { readonly kind: 'bytes'; readonly sender: Role; readonly bytes: Uint8Array }
  | { readonly kind: 'ended'; readonly sender: Role }
  /** The rest of what the sender sent is missing. */
  | { readonly kind: 'lost'; readonly sender: Role; readonly error: AmandaError }
  | { readonly kind: 'reset'; readonly sender: Role }
  /** `isComplete`: both sides have ended, or one has reset the connection. */
  | { readonly kind: 'closed'; readonly isComplete: boolean }
);

/** One end of a connection. A file of raw bytes knows no port. */
export interface SavedEnd {
  readonly name: string;
  readonly port: number | undefined;
}

/** `192.0.2.1:1023`, `[2001:db8::1]:1023`. */
export function endText({ name, port }: SavedEnd): string {
  if (port === undefined) return name;
  return name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`;
}
