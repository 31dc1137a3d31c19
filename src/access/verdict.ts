import { printable } from '../wire/text.js';

/** What a check says. */
export type Verdict = Allowed | Refused;

export interface Allowed {
  readonly kind: 'allowed';
}

export interface Refused {
  readonly kind: 'refused';
  /** Why, word for word as the peer is told; it may repeat what the peer sent, control characters included. */
  readonly reason: string;
  /** The same for a log or a terminal: control characters escaped, 1,000 characters at the most. */
  readonly shown: string;
}

export const allowed: Allowed = { kind: 'allowed' };

const SHOWN_CHARACTERS = 1000;

/** A refusal for a reason. */
export function refused(reason: string): Refused {
  return { kind: 'refused', reason, shown: printable(reason, SHOWN_CHARACTERS) };
}
