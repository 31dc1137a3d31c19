import type { TapChange } from '../../../tap/tap-change.js';
import { AmandaError } from '../../../wire/errors.js';
import { decodeText } from '../../../wire/text.js';
import { readTapChange } from './recording-line.js';

/** How a recording's file begins, so that it is known by its first bytes. */
export const RECORDING_MAGIC = '{"format":"rx-amanda recording"';

/** The first line of a saved recording, with its newline. */
export const recordingHeader = `${RECORDING_MAGIC},"version":1}\n`;

/** One step of a saved recording as a line of JSON, with its newline. Previews are in hexadecimal. */
export function recordingLine(change: TapChange): string {
  return `${JSON.stringify(storable(change))}\n`;
}

function storable(told: TapChange): unknown {
  if (told.kind !== 'change' || told.change.kind !== 'event') return told;
  const { event } = told.change;
  if (!('preview' in event) || event.preview === undefined) return told;
  const { buffer, byteOffset, length } = event.preview;
  return {
    ...told,
    change: {
      ...told.change,
      event: {
        ...event,
        preview: { hex: Buffer.from(buffer, byteOffset, length).toString('hex') },
      },
    },
  };
}

/** A longer line is damage: a preview has 64 KiB at the most. */
const MAX_LINE = 1_048_576;

/** Reads a saved recording that comes in chunks cut anywhere. */
export class RecordingReader {
  #parts: Uint8Array[] = [];
  #length = 0;
  #line = 0;

  /** Errors with `BAD_CAPTURE` for a line that is no step of a recording, behind the steps before it; it is over then. */
  push(chunk: Uint8Array, tell: (change: TapChange) => void): void {
    let at = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, at)) {
      this.#add(chunk.subarray(at, end));
      at = end + 1;
      this.#read(tell);
    }
    this.#add(chunk.subarray(at));
  }

  /** Says that no more bytes come. Errors with `TRUNCATED` when that is inside a line. */
  end(): void {
    if (this.#length > 0)
      throw new AmandaError('TRUNCATED', `The recording ends inside line ${this.#line + 1}.`);
  }

  #add(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#length += part.length;
    if (this.#length > MAX_LINE)
      throw new AmandaError(
        'BAD_CAPTURE',
        `The recording is damaged: line ${this.#line + 1} is longer than ${MAX_LINE} bytes.`,
      );
  }

  #read(tell: (change: TapChange) => void): void {
    const text = decodeText(
      this.#parts.length === 1 ? (this.#parts[0] ?? new Uint8Array(0)) : Buffer.concat(this.#parts),
    );
    this.#parts = [];
    this.#length = 0;
    this.#line += 1;
    const value = parseLine(text);
    if (this.#line === 1) checkHeader(value);
    else {
      const change = readTapChange(value);
      if (change === undefined)
        throw new AmandaError(
          'BAD_CAPTURE',
          `The recording is damaged: line ${this.#line} is no step of one.`,
        );
      tell(change);
    }
  }
}

const NEWLINE = 0x0a;

function parseLine(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function checkHeader(value: unknown): void {
  const version =
    typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
  if (version !== 1)
    throw new AmandaError(
      'BAD_CAPTURE',
      'This recording is of a version that is not known here; version 1 is.',
    );
}
