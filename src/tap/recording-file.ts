import { AmandaError } from '../wire/errors.js';
import { decodeText, printableJson } from '../wire/text.js';
import { readTapChange } from './recording-line.js';
import type { TapChange } from './tap-change.js';

/** The first bytes of every recording. */
export const RECORDING_MAGIC = '{"format":"rx-amanda recording"';

/** The first line of a recording, with its newline. */
export const recordingHeader = `${RECORDING_MAGIC},"version":1}\n`;

/**
 * One step of a recording as a line of JSON, with its newline. It is safe for a terminal. Previews
 * are in hexadecimal.
 */
export function recordingLine(change: TapChange): string {
  return `${printableJson(storable(change))}\n`;
}

function storable(step: TapChange): unknown {
  if (step.kind !== 'change' || step.change.kind !== 'event') return step;
  const { event } = step.change;
  if (!('preview' in event) || event.preview === undefined) return step;
  const { buffer, byteOffset, length } = event.preview;
  return {
    ...step,
    change: {
      ...step.change,
      event: {
        ...event,
        preview: { hex: Buffer.from(buffer, byteOffset, length).toString('hex') },
      },
    },
  };
}

/** The most bytes of a line. A preview has at most 64 KiB. */
const MAX_LINE = 1_048_576;

/** Reads a recording in chunks that are cut anywhere. */
export class RecordingReader {
  #parts: Uint8Array[] = [];
  #length = 0;
  #line = 0;

  /**
   * Emits the steps of the lines that end in this chunk. Errors with `BAD_CAPTURE` at the first
   * line that is not a step; nothing can be read after that.
   */
  push(chunk: Uint8Array, emit: (change: TapChange) => void): void {
    let at = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, at)) {
      this.#add(chunk.subarray(at, end));
      at = end + 1;
      this.#read(emit);
    }
    this.#add(chunk.subarray(at));
  }

  /** Errors with `TRUNCATED` when the recording ends inside a line. */
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

  #read(emit: (change: TapChange) => void): void {
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
      emit(change);
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
      'This recording has an unknown version; this program reads version 1.',
    );
}
