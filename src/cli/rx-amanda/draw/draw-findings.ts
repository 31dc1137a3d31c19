import type { TapChange } from '../../../tap/tap-change.js';

/** Selects the connections of a file to show: one, or all. */
export class ConnectionFilter {
  readonly #number: number | undefined;
  #connections = 0;
  #isFound = false;

  constructor(number: number | undefined) {
    this.#number = number;
  }

  /** Whether something is about a selected connection. */
  includes({ connection }: { readonly connection: number }): boolean {
    return this.#number === undefined || this.#number === connection;
  }

  /** Counts the connections of the file. Takes every step of each. */
  count(step: { readonly kind: string; readonly connection: number }): void {
    if (step.kind === 'opened') this.#connections += 1;
    this.#isFound ||= this.includes(step);
  }

  /** The message when the file lacks the selected connection. */
  missing(): string | undefined {
    if (this.#number === undefined || this.#isFound) return undefined;
    return `There is no connection ${this.#number}; the file has ${this.#connections}.`;
  }
}

/** The most problems that are listed. A file may be damaged all over; the others are counted. */
const MOST_LISTED = 10;

/** Collects what could not be shown, as sentences. */
export class Problems {
  readonly #listed: string[] = [];
  #more = 0;

  add(connection: number, message: string): void {
    if (this.#listed.length < MOST_LISTED)
      this.#listed.push(`connection ${connection}: ${message}`);
    else this.#more += 1;
  }

  all(): readonly string[] {
    return this.#more === 0
      ? this.#listed
      : [...this.#listed, `And ${this.#more} more of the kind.`];
  }
}

type EventChange = Extract<TapChange, { readonly kind: 'change' }> & {
  readonly change: { readonly kind: 'event' };
};

/**
 * Bytes that are missing, truncated or not frames. A reset is an event, not a problem of the file.
 */
const problemCodes: ReadonlySet<string | undefined> = new Set([
  'CAPTURE_GAP',
  'TRUNCATED',
  'FRAME_TOO_LARGE',
  'TEXT_IN_CHANNEL',
]);

/** Whether a step says that something cannot be shown. */
export function isUnshowable(change: TapChange): change is EventChange {
  return (
    change.kind === 'change' &&
    change.change.kind === 'event' &&
    change.change.event.kind === 'error' &&
    problemCodes.has(change.change.event.code)
  );
}
