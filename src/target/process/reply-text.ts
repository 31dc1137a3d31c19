import { MOST_REPLY_BYTES } from '../../exchange/reply-body.js';
import { AmandaError } from '../../wire/errors.js';
import { encodeText, decodeText } from '../../wire/text.js';

/** The most bytes of a service's standard error that are kept. */
const MOST_ERROR_BYTES = 65_536;
const NEWLINE = 0x0a;

/** A service's reply and standard error so far. */
export class ReplyText {
  readonly #service: string;
  readonly #text: Uint8Array[] = [];
  #size = 0;
  readonly #errorText: Uint8Array[] = [];
  #room = MOST_ERROR_BYTES;

  constructor(service: string) {
    this.#service = service;
  }

  /** Adds to the reply. Throws `SERVICE_FAILED` when it would be over 4 MiB. */
  write(chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size > MOST_REPLY_BYTES)
      throw new AmandaError(
        'SERVICE_FAILED',
        `its reply is over the ${MOST_REPLY_BYTES} bytes that fit one packet`,
      );
    this.#text.push(chunk);
  }

  /** Adds to standard error; keeps the first 64 KiB. */
  writeError(chunk: Uint8Array): void {
    if (this.#room > 0) this.#errorText.push(chunk.subarray(0, this.#room));
    this.#room -= chunk.length;
  }

  /** The reply. */
  get bytes(): Uint8Array {
    return Buffer.concat(this.#text);
  }

  /** The reply up to the end of its last whole line. */
  get wholeLines(): Uint8Array {
    const { bytes } = this;
    return bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
  }

  /** An ERROR line for each line of standard error. */
  get errors(): readonly string[] {
    const lines = decodeText(Buffer.concat(this.#errorText))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `ERROR service ${this.#service}: ${line}`);
    return this.#room < 0
      ? [...lines, `ERROR service ${this.#service}: (${-this.#room} bytes more)`]
      : lines;
  }
}

/** Appends lines to a text, and cuts the text so that all fits one packet. */
export function withLines(text: Uint8Array, lines: readonly string[]): Uint8Array {
  if (lines.length === 0) return text;
  const seam = text.length > 0 && text.at(-1) !== NEWLINE ? '\n' : '';
  const tail = encodeText(seam + lines.map((line) => `${line}\n`).join(''));
  return Buffer.concat([text.subarray(0, MOST_REPLY_BYTES - tail.length), tail]);
}
