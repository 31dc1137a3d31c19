import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where the recorded conversations are. */
export const capturesDirectory = fileURLToPath(new URL('../fixtures/captures/', import.meta.url));

/** `c2s`: from the initiator to the target; `s2c`: from the target to the initiator. */
export type Direction = 'c2s' | 's2c';
export const directions: readonly Direction[] = ['c2s', 's2c'];

/** A frame as the list of a conversation has it. */
export interface ListedFrame {
  readonly kind: 'frame';
  /** Seconds since the connection began. */
  readonly time: number;
  readonly direction: Direction;
  /** Where it begins in the bytes of its direction. */
  readonly offset: number;
  readonly handle: number;
  /** Bytes of payload; 0 for a close. */
  readonly length: number;
  readonly close: boolean;
  /** What kind of packet it is; undefined for stream data and closes. */
  readonly type?: string;
  /** The name of the stream, as the reply announced it. */
  readonly stream?: string;
  /** True for a packet without a NUL after its text. */
  readonly withoutNul: boolean;
  /** What the list shows of the payload, of a packet without its type byte and NUL. */
  readonly shown: Shown;
}

/**
 * What a list shows of a payload: its text, with other bytes as `\xNN`, or its first bytes in
 * hexadecimal.
 */
export type Shown =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'hex'; readonly bytes: Uint8Array }
  | { readonly kind: 'nothing' };

/** Bytes that are no frame, from `offset` to the end of their direction. */
export interface ListedRefusal {
  readonly kind: 'invalid';
  readonly time: number;
  readonly direction: Direction;
  readonly offset: number;
}

/** What happened to the channel. */
export interface ListedEvent {
  readonly kind: 'event';
  readonly time: number;
  readonly direction: Direction | undefined;
  /**
   * `connect`, `start`, `eof`, `reset`, `shutdown(WR)`, `close()`, `write-error`, `closed` or
   * `amandad-exit`.
   */
  readonly name: string;
  readonly detail: string;
}

export type ListedStep = ListedFrame | ListedRefusal | ListedEvent;

/** A recorded connection that carries frames. */
export interface Conversation {
  readonly name: string;
  readonly bytes: Readonly<Record<Direction, Uint8Array>>;
  /** What happened, in the order of time. */
  readonly steps: readonly ListedStep[];
}

/**
 * The name of the one conversation that is encrypted, so that no frames can be read from its bytes.
 */
export const encryptedConversation = 'ssl-noop.1';

/** All files of the captures, without the one that explains them. */
export function captureFiles(): readonly string[] {
  return readdirSync(capturesDirectory)
    .filter((file) => file !== 'README.md')
    .sort();
}

/** The names of what files with this ending hold. */
export function captureNames(ending: string): readonly string[] {
  return captureFiles()
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length));
}

export function captureBytes(file: string): Uint8Array {
  return new Uint8Array(readFileSync(capturesDirectory + file));
}

export function captureLines(file: string): readonly string[] {
  const lines = readFileSync(capturesDirectory + file, 'latin1').split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** The names of the recorded connections that carry frames. */
export function conversationNames(): readonly string[] {
  return captureNames('.c2s.bin').filter((name) => name !== encryptedConversation);
}

/** One recorded connection with its list; a line of the list that is not understood is an error. */
export function conversation(name: string): Conversation {
  return {
    name,
    bytes: { c2s: captureBytes(`${name}.c2s.bin`), s2c: captureBytes(`${name}.s2c.bin`) },
    steps: listedSteps(captureLines(`${name}.txt`)),
  };
}

/** The frames of one direction, in the order of the bytes. */
export function framesOf({ steps }: Conversation, direction: Direction): readonly ListedFrame[] {
  return steps
    .filter((step): step is ListedFrame => step.kind === 'frame' && step.direction === direction)
    .sort((a, b) => a.offset - b.offset);
}

/** Where one direction stops being frames, if it does. */
export function refusalOf(
  { steps }: Conversation,
  direction: Direction,
): ListedRefusal | undefined {
  return steps.find(
    (step): step is ListedRefusal => step.kind === 'invalid' && step.direction === direction,
  );
}

/** The bytes of a listed frame's payload. */
export function payloadOf(
  { bytes }: Conversation,
  { direction, offset, length }: ListedFrame,
): Uint8Array {
  return bytes[direction].subarray(offset + 8, offset + 8 + length);
}

/** Whether a list that shows this means these bytes, as far as it shows them. */
export function isShownAs(bytes: Uint8Array, shown: Shown): boolean {
  if (shown.kind === 'nothing') return bytes.every((byte) => byte === 0);
  if (shown.kind === 'hex')
    return Buffer.compare(bytes.subarray(0, shown.bytes.length), shown.bytes) === 0;
  const gap = /\n\.\.\. ?\[(\d+) bytes\] ?\.\.\.\n/.exec(shown.text);
  if (gap === null) return asShown(bytes) === shown.text;
  const head = bytes.length - Number(gap[1]) - SHOWN_TAIL;
  const tail = shown.text.slice(gap.index + gap[0].length);
  return (
    head > 0 &&
    asShown(bytes.subarray(0, head)) === shown.text.slice(0, gap.index) &&
    asShown(bytes.subarray(-SHOWN_TAIL)) === tail
  );
}

/** Bytes that a list shows after the gap in a long text. */
const SHOWN_TAIL = 100;

/** Bytes in the notation of the lists: text as it is, other bytes as `\xNN`. */
function asShown(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const stays = byte === 0x0a || byte === 0x09 || (byte >= 0x20 && byte < 0x7f);
    text += stays ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return text;
}

const stepLine = /^ *(\d+\.\d+) (C->S|S->C| {4}) (.*)$/;
const frameLine =
  /^@(\d+) len=(\d+) handle=(\d+)(?: stream (\S+))? (\S+)( {2}\(no trailing NUL\))?$/;
const refusalLine = /^@(\d+) INVALID /;
const eventLine = /^\[([^\]]+)\] ?(.*)$/;

function listedSteps(lines: readonly string[]): readonly ListedStep[] {
  const steps: ListedStep[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? '';
    at += 1;
    if (line.startsWith('totals: ')) continue;
    const from = at;
    while (/^ {4}(\| |hex )/.test(lines[at] ?? '')) at += 1;
    steps.push(listedStep(line, shownBy(lines.slice(from, at))));
  }
  return steps;
}

function listedStep(line: string, shown: Shown): ListedStep {
  const [, seconds, arrow, rest = ''] = stepLine.exec(line) ?? [];
  const time = Number(seconds);
  const direction = arrow === 'C->S' ? 'c2s' : arrow === 'S->C' ? 's2c' : undefined;
  const event = eventLine.exec(rest);
  if (event !== null)
    return { kind: 'event', time, direction, name: event[1] ?? '', detail: event[2] ?? '' };
  const refusal = refusalLine.exec(rest);
  if (refusal !== null && direction !== undefined)
    return { kind: 'invalid', time, direction, offset: Number(refusal[1]) };
  const frame = frameLine.exec(rest);
  if (frame === null || direction === undefined)
    throw new Error(`A line of a capture's list is not understood: ${line}`);
  const [, offset, length, handle, stream, word = '', withoutNul] = frame;
  return {
    kind: 'frame',
    time,
    direction,
    offset: Number(offset),
    handle: Number(handle),
    length: Number(length),
    close: word === 'CLOSE',
    shown,
    withoutNul: withoutNul !== undefined,
    ...(word === 'CLOSE' || word === 'data' ? {} : { type: word }),
    ...(stream === undefined ? {} : { stream }),
  };
}

/**
 * What the lines under a step or a packet show; they begin with four blanks and a bar, or with
 * `hex`.
 */
export function shownBy(lines: readonly string[]): Shown {
  const first = lines[0];
  if (first === undefined) return { kind: 'nothing' };
  if (first.startsWith('    hex '))
    return {
      kind: 'hex',
      bytes: new Uint8Array(
        Buffer.from(first.slice(8).replace(' ...', '').replaceAll(' ', ''), 'hex'),
      ),
    };
  return { kind: 'text', text: lines.map((line) => line.slice(6)).join('\n') };
}
