import type { TapChange } from '../../../tap/tap-change.js';

/** More than these are counted only: a file may be damaged all over. */
const MOST_TOLD = 10;

/** What of the connections of a file could not be shown, as sentences. */
export class Troubles {
  readonly #told: string[] = [];
  #more = 0;

  add(connection: number, message: string): void {
    if (this.#told.length < MOST_TOLD) this.#told.push(`connection ${connection}: ${message}`);
    else this.#more += 1;
  }

  all(): readonly string[] {
    return this.#more === 0 ? this.#told : [...this.#told, `And ${this.#more} more of the kind.`];
  }
}

type EventChange = Extract<TapChange, { readonly kind: 'change' }> & {
  readonly change: { readonly kind: 'event' };
};

/** Bytes that are missing, cut off, or no frames. That a side broke the connection is what happened, and no trouble of the file. */
const troubleCodes: ReadonlySet<string | undefined> = new Set([
  'CAPTURE_GAP',
  'TRUNCATED',
  'FRAME_TOO_LARGE',
  'TEXT_IN_CHANNEL',
]);

/** Whether a step says that something cannot be shown. */
export function isTrouble(change: TapChange): change is EventChange {
  return (
    change.kind === 'change' &&
    change.change.kind === 'event' &&
    change.change.event.kind === 'error' &&
    troubleCodes.has(change.change.event.code)
  );
}
