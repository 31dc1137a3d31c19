import { printable } from '../wire/text.js';

/** The result of a check. */
export type Verdict = Allowed | Refused;

/** The verdict that admits a request. */
export interface Allowed {
  readonly kind: 'allowed';
}

/** The verdict that refuses a request, with the reason that the peer gets. */
export interface Refused {
  readonly kind: 'refused';
  /** Why, as the peer sees it; it may repeat what the peer sent, control characters included. */
  readonly reason: string;
  /** The same for a log or a terminal: escaped, and at most 1,000 characters. */
  readonly shown: string;
}

/** Admits a request. */
export const allowed: Allowed = { kind: 'allowed' };

const SHOWN_CHARACTERS = 1000;

/** A refusal for a reason. */
export function refused(reason: string): Refused {
  return { kind: 'refused', reason, shown: printable(reason, SHOWN_CHARACTERS) };
}
