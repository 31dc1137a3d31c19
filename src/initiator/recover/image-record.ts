import { RunningChecksum } from '../../operators/checksum.js';
import type { Checksum } from '../../wire/crc32c.js';
import { decodeDumpHeader, DUMP_HEADER_BYTES, type DumpHeader } from '../../wire/dumpfile.js';
import { AmandaError } from '../../wire/errors.js';
import { printable } from '../../wire/text.js';

/** A whole image, as it was received. */
export interface ImageOutcome {
  /** What the server said about the image. */
  readonly header: DumpHeader;
  /** Of the image without its header. */
  readonly received: Checksum;
  /** Whether the header had a checksum to compare with. Old dumps have none. */
  readonly isVerified: boolean;
}

/** The most messages that a failure repeats. */
const MOST_MESSAGES = 5;

/** The record of an image that is being received. */
export class ImageRecord {
  readonly #what: string;
  readonly #received = new RunningChecksum();
  readonly #messages: string[] = [];
  #block = new Uint8Array(0);
  #headerBytes: number | undefined;
  #header: DumpHeader | undefined;

  /** `what` names the image in messages. */
  constructor(what: string) {
    this.#what = what;
  }

  get header(): DumpHeader | undefined {
    return this.#header;
  }

  get bytes(): number {
    return this.#received.bytes;
  }

  /** Takes the announced size of the header. */
  expectHeader(bytes: number): void {
    if (!Number.isSafeInteger(bytes) || bytes < 1 || bytes > DUMP_HEADER_BYTES)
      throw this.#bad(`announced a header of ${bytes} bytes`);
    this.#headerBytes = bytes;
  }

  /** Takes bytes before the image. Returns the header when it is whole. */
  takeHeader(chunk: Uint8Array): DumpHeader | undefined {
    if (this.#headerBytes === undefined) throw this.#bad('sent bytes before the header');
    this.#block = Buffer.concat([this.#block, chunk]);
    if (this.#block.length < this.#headerBytes) return undefined;
    if (this.#block.length > this.#headerBytes) throw this.#bad('sent the image too early');
    this.#header = decodeDumpHeader(this.#block);
    return this.#header;
  }

  takeData(chunk: Uint8Array): void {
    this.#received.update(chunk);
  }

  /** Takes a text for the user; a failure repeats the last ones. */
  takeMessage(text: string): void {
    this.#messages.push(text);
    if (this.#messages.length > MOST_MESSAGES) this.#messages.shift();
  }

  /** Judges the image after its last byte. Throws `INCOMPLETE_DUMP` and `CHECKSUM_MISMATCH`. */
  outcome(): ImageOutcome {
    const header = this.#header;
    if (header === undefined)
      throw this.#failure('SERVICE_FAILED', 'The server sent nothing of it.');
    const received: Checksum = { crc: this.#received.crc, bytes: this.#received.bytes };
    if (received.bytes === 0) throw this.#failure('INCOMPLETE_DUMP', 'The server sent no data.');
    const expected = header.clientChecksum ?? header.serverChecksum;
    if (expected === undefined) return { header, received, isVerified: false };
    if (received.bytes < expected.bytes)
      throw this.#failure(
        'INCOMPLETE_DUMP',
        `${received.bytes} of its ${expected.bytes} bytes have arrived.`,
      );
    if (received.bytes !== expected.bytes || received.crc !== expected.crc)
      throw this.#failure(
        'CHECKSUM_MISMATCH',
        'The checksum of the received bytes differs from that in the header.',
      );
    return { header, received, isVerified: true };
  }

  #failure(
    code: 'SERVICE_FAILED' | 'INCOMPLETE_DUMP' | 'CHECKSUM_MISMATCH',
    why: string,
  ): AmandaError {
    const said = this.#messages.map((text) => ` The server says: ${printable(text)}.`).join('');
    return new AmandaError(code, `${this.#what} cannot be restored. ${why}${said}`);
  }

  #bad(why: string): AmandaError {
    return new AmandaError('BAD_REPLY', `The server ${why} of ${this.#what}.`);
  }
}
