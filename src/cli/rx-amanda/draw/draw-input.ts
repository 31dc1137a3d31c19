import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { captureReader } from '../../../capture/saved-capture.js';
import type { CaptureReader } from '../../../capture/captured-packet.js';
import { rawEvents } from '../../../capture/raw-files.js';
import { SavedCapture } from '../../../capture/saved-capture.js';
import type { SavedEvent } from '../../../capture/saved-event.js';
import { RECORDING_MAGIC, RecordingReader } from '../../../tap/recording-file.js';
import type { TapChange } from '../../../tap/tap-change.js';
import { AmandaError, isAmandaError } from '../../../wire/errors.js';
import { printable, decodeText } from '../../../wire/text.js';
import type { Role } from '../../../wire/role.js';
import { fileFailed } from '../../terminal/file-errors.js';
import { count } from '../../terminal/units.js';

/** Files that hold saved conversations. */
export type SavedFiles =
  | { readonly kind: 'one'; readonly file: string }
  | { readonly kind: 'raw'; readonly initiator: string; readonly target: string };

export interface ReadOptions {
  /** Read when the file is `-`. */
  readonly stdin: Readable;
  readonly port: number | undefined;
  /** Ends the reading; everything before counts. */
  readonly stop: AbortSignal;
  /** Takes the events of a capture or of raw bytes; `change` takes the steps of a recording. */
  readonly event: (event: SavedEvent) => void;
  readonly change: (change: TapChange) => void;
  /** Awaited now and then, so that the output keeps up. */
  readonly pace: () => Promise<void>;
}

export interface ReadOutcome {
  /** Why the reading ended before the file did. */
  readonly damage: AmandaError | undefined;
  /** Remarks for a person, in sentences. */
  readonly notes: readonly string[];
}

/**
 * Chooses the files to read: one, or two with the bytes of each direction. The name of one of the
 * two is enough when it ends in `.c2s` or `.s2c`.
 */
export async function savedFiles([first = '', second]: readonly string[]): Promise<SavedFiles> {
  if (second !== undefined)
    return directionOf(first) === 'target' ? raw(second, first) : raw(first, second);
  const direction = directionOf(first);
  if (direction === undefined) return { kind: 'one', file: first };
  const other = first.replace(
    rawName,
    (_, name: string, ending = '') => `.${name === 'c2s' ? 's2c' : 'c2s'}${String(ending)}`,
  );
  await stat(other).catch((cause: unknown) => {
    throw fileFailed('read', other, cause);
  });
  return direction === 'initiator' ? raw(first, other) : raw(other, first);
}

/**
 * Reads the files. Errors with `FILE_FAILED`, and with `BAD_CAPTURE` when they hold no conversation
 * at all. Other damage is in the outcome.
 */
export async function readSaved(files: SavedFiles, options: ReadOptions): Promise<ReadOutcome> {
  if (files.kind === 'raw') return readRaw(files, options);
  const { head, chunks } = await begun(chunksOf(files.file, options), RECORDING_MAGIC.length);
  const reader = captureReader(head);
  if (reader !== undefined) return readCapture(reader, chunks, options);
  if (isRecording(head)) return readRecording(chunks, options);
  const name = files.file === '-' ? 'What was read' : printable(files.file);
  const hint = isCompressed(head)
    ? 'It is compressed: unpack it first, or on the way: zcat FILE | rx-amanda draw -.'
    : 'Of raw bytes two files are needed: what the initiator sent, and what the target sent.';
  throw new AmandaError(
    'BAD_CAPTURE',
    `${name} is no capture (pcap or pcapng) and no recording. ${hint}`,
  );
}

function isRecording(head: Uint8Array): boolean {
  return decodeText(head) === RECORDING_MAGIC;
}

/** Whether gzip, zstd, xz or bzip2 wrote this. */
function isCompressed(head: Uint8Array): boolean {
  const first = Buffer.from(head).toString('hex');
  return ['1f8b', '28b52ffd', 'fd377a585a', '425a68'].some((magic) => first.startsWith(magic));
}

const rawName = /\.(c2s|s2c)(\.bin)?$/;
/** Bytes that are read at once. Larger chunks take more memory and save little time. */
const CHUNK_BYTES = 65_536;

function raw(initiator: string, target: string): SavedFiles {
  return { kind: 'raw', initiator, target };
}

function directionOf(file: string): Role | undefined {
  const name = rawName.exec(file)?.[1];
  return name === undefined ? undefined : name === 'c2s' ? 'initiator' : 'target';
}

async function readCapture(
  reader: CaptureReader,
  chunks: AsyncIterable<Uint8Array>,
  { port, event, pace, stop }: ReadOptions,
): Promise<ReadOutcome> {
  const capture = new SavedCapture(reader, port, event);
  let damage = await damageOf(async () => {
    for await (const chunk of chunks) {
      capture.push(chunk);
      await pace();
    }
  });
  capture.end();
  // A reading that was stopped ends anywhere.
  if (damage === undefined && !stop.aborted) {
    damage = await damageOf(() => {
      capture.checkEnd();
    });
  }
  return { damage, notes: notesOf(capture) };
}

function notesOf(capture: SavedCapture): readonly string[] {
  const { packets, connections, unusable, found } = capture.summary;
  const unused = [...unusable].map(
    ([why, number]) => `${count(number, 'packet')} could not be used: ${why}.`,
  );
  if (found > 0) return unused;
  const searched = `${count(connections, 'connection')} of ${count(packets, 'packet')}`;
  return [
    `There is no connection with Amanda's frames among the ${searched}; --port N names their port.`,
    ...unused,
  ];
}

async function readRecording(
  chunks: AsyncIterable<Uint8Array>,
  { change, pace, stop }: ReadOptions,
): Promise<ReadOutcome> {
  const reader = new RecordingReader();
  const damage = await damageOf(async () => {
    for await (const chunk of chunks) {
      reader.push(chunk, change);
      await pace();
    }
    if (!stop.aborted) reader.end();
  });
  return { damage, notes: [] };
}

/** Events of raw files between two awaits of the output. */
const EVENTS_A_PACE = 64;

async function readRaw(
  { initiator, target }: Extract<SavedFiles, { readonly kind: 'raw' }>,
  options: ReadOptions,
): Promise<ReadOutcome> {
  const files = { initiator: await bare(initiator, options), target: await bare(target, options) };
  let events = 0;
  for await (const event of rawEvents(files, {
    initiator: basename(initiator),
    target: basename(target),
  })) {
    options.event(event);
    events += 1;
    if (events % EVENTS_A_PACE === 0) await options.pace();
  }
  return {
    damage: undefined,
    notes: [
      'Raw bytes do not say when they were sent: ' +
        'the order of the two sides is a guess, a millisecond a frame.',
    ],
  };
}

/**
 * The chunks of a file of raw bytes. Refuses a capture or a recording, which is drawn by itself.
 */
async function bare(file: string, options: ReadOptions): Promise<AsyncIterable<Uint8Array>> {
  const { head, chunks } = await begun(chunksOf(file, options), RECORDING_MAGIC.length);
  const kind = isRecording(head)
    ? 'recording'
    : captureReader(head) === undefined
      ? undefined
      : 'capture';
  if (kind === undefined) return chunks;
  throw new AmandaError(
    'BAD_CAPTURE',
    `${printable(file)} is a ${kind}, and not one of two files with raw bytes: draw it by itself.`,
  );
}

async function damageOf(action: () => void | Promise<void>): Promise<AmandaError | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    if (isAmandaError(error, 'BAD_CAPTURE') || isAmandaError(error, 'TRUNCATED')) return error;
    throw error;
  }
}

/** The chunks of a file, until its end or until it is stopped. Errors with `FILE_FAILED`. */
async function* chunksOf(
  file: string,
  { stdin, stop }: Pick<ReadOptions, 'stdin' | 'stop'>,
): AsyncGenerator<Uint8Array> {
  const stream = file === '-' ? stdin : createReadStream(file, { highWaterMark: CHUNK_BYTES });
  try {
    addAbortSignal(stop, stream);
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (cause) {
    if (!stop.aborted) throw fileFailed('read', file === '-' ? 'standard input' : file, cause);
  }
}

/** Peeks at the first bytes of a file: `size` of them, or all when it is shorter. */
async function begun(
  chunks: AsyncGenerator<Uint8Array>,
  size: number,
): Promise<{ readonly head: Uint8Array; readonly chunks: AsyncIterable<Uint8Array> }> {
  const first: Uint8Array[] = [];
  for (let length = 0; length < size;) {
    const read = await chunks.next();
    if (read.done === true) break;
    first.push(read.value);
    length += read.value.length;
  }
  return { head: Buffer.concat(first).subarray(0, size), chunks: concatChunks(first, chunks) };
}

async function* concatChunks(
  first: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* first;
  yield* rest;
}
