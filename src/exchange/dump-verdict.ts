import type { SentObserver } from './run-streams.js';
import { decodeText } from '../wire/text.js';

/** The longest part of a line that is looked at, and the longest reason, in characters. */
const MAX_LINE = 1_000;

/** What a service has reported to the peer about its success. */
export class DumpVerdict implements SentObserver {
  readonly #isDump: boolean;
  #failure: string | undefined;
  #line = '';
  #isOver = false;
  #hasEnd = false;

  constructor(service: string) {
    this.#isDump = service === 'sendbackup';
  }

  /** Whether messages on this stream of the reply say how the dump ends. */
  watches(stream: string): boolean {
    return this.#isDump && stream === 'MESG';
  }

  /** The text of the final reply. */
  replied(body: Uint8Array): void {
    const said = decodeText(body)
      .split('\n')
      .filter((line) => /^(?:ERROR|FAILED)(?: |$)/.test(line))
      .map((line) => line.replace(/^ERROR /, ''));
    if (said.length > 0) this.#fail(said.join('; '));
  }

  /** Bytes of the messages, cut anywhere. */
  next(bytes: Uint8Array): void {
    const lines = (this.#line + decodeText(bytes)).split('\n');
    this.#line = (lines.pop() ?? '').slice(0, MAX_LINE);
    for (const line of lines) this.#look(line);
  }

  /** The messages are over: the end of the dump must have been among them. */
  complete(): void {
    this.#look(this.#line);
    this.#isOver = true;
  }

  /** Why the service failed, by its own words; undefined if it reported none. */
  get failure(): string | undefined {
    if (this.#failure !== undefined || !this.#isOver || this.#hasEnd) return this.#failure;
    return 'the messages of the dump stop before their end line';
  }

  #look(line: string): void {
    if (line === 'sendbackup: end') this.#hasEnd = true;
    const found = /^(?:sendbackup: error|(?:sendbackup: )?(?:ERROR|FAILED))(?: (.*))?$/.exec(line);
    if (found !== null) this.#fail((found[1] ?? '').replace(/^\[(.*)\]$/, '$1'));
  }

  #fail(reason: string): void {
    this.#failure ??= reason.slice(0, MAX_LINE);
  }
}
