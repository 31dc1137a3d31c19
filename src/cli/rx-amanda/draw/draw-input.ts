import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { captureReader } from '../../../capture/capture-file.js';
import type { CaptureReader } from '../../../capture/captured-packet.js';
import type { Sender } from '../../../capture/tcp-reassembly.js';
import type { TapChange } from '../../../tap/tap-change.js';
import { AmandaError, isAmandaError } from '../../../wire/errors.js';
import { printable, decodeText } from '../../../wire/text.js';
import { SavedCapture } from './draw-capture.js';
import type { SavedEvent } from './draw-event.js';
import { rawEvents } from './draw-raw.js';
import { fileFailed } from '../../terminal/file-errors.js';
import { RECORDING_MAGIC, RecordingReader } from './recording-file.js';

/** Files with a saved conversation. */
export type SavedFiles =
  | { readonly kind: 'one'; readonly file: string }
  | { readonly kind: 'raw'; readonly initiator: string; readonly target: string };

export interface ReadOptions {
  /** Read for the file `-`. */
  readonly stdin: Readable;
  readonly port: number | undefined;
  /** Ends the reading; what was read until then counts. */
  readonly stop: AbortSignal;
  /** What the connections say; of a recording, what was made of them. */
  readonly event: (event: SavedEvent) => void;
  readonly change: (change: TapChange) => void;
  /** Awaited now and then, so that who takes the events keeps up. */
  readonly pace: () => Promise<void>;
}

export interface ReadOutcome {
  /** Where and why the reading ended before the file was whole. */
  readonly damage: AmandaError | undefined;
  /** What a person may want to know beside, in sentences. */
  readonly notes: readonly string[];
}

/** Which files are meant: one, or two with the bytes of each direction, of which the name of one is enough when it ends as `.c2s` or `.s2c`. */
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

/** Reads them. Errors with `FILE_FAILED`, and with `BAD_CAPTURE` for what is no saved conversation at all; other damage is in the outcome. */
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
/** Four times as much saves a quarter of the processor's time and takes twice the memory. */
const CHUNK_BYTES = 65_536;

function raw(initiator: string, target: string): SavedFiles {
  return { kind: 'raw', initiator, target };
}

function directionOf(file: string): Sender | undefined {
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
  // Who stops the reading knows that it is not at the end.
  if (damage === undefined && !stop.aborted) {
    damage = await damageOf(() => {
      capture.checkEnd();
    });
  }
  return { damage, notes: capture.notes() };
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

/** So many events of raw files come before it is asked whether their taker keeps up. */
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
      'Raw bytes do not say when they were sent: the order of the two sides is a guess, a millisecond a frame.',
    ],
  };
}

/** The chunks of a file of raw bytes. What is drawn by itself would read as damaged ones. */
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

/** The first bytes of a file, so many or all, and all of its chunks. */
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
  return { head: Buffer.concat(first).subarray(0, size), chunks: behind(first, chunks) };
}

async function* behind(
  first: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* first;
  yield* rest;
}
