import { captureLines, captureNames, type Direction } from './captures.js';

/**
 * A real initiator (amservice, amcheck, amdump) against a stand-in target that behaves as the
 * case's name says. Only a text was kept: times, every frame's handle and length, and the front of
 * its payload.
 */
export interface InitiatorCase {
  readonly name: string;
  /** The command line that was run. */
  readonly command: string;
  /** The exit code of the command; 124 when it was ended after five minutes. */
  readonly exitCode: number;
  /** How long it ran, in seconds. */
  readonly seconds: number;
  /** What it printed, line by line; no more than the first 40. */
  readonly output: readonly string[];
  readonly steps: readonly InitiatorStep[];
}

interface StepOrigin {
  /** Seconds since the stand-in was started. */
  readonly time: number;
  /** Which of the case's connections, 1, 2, 3 … */
  readonly connection: number;
}

export type InitiatorStep = StepOrigin &
  (
    | { readonly kind: 'connect'; readonly sourcePort: number }
    | InitiatorFrame
    /** Bytes that the stand-in sent and that are no frame. */
    | { readonly kind: 'bytes'; readonly direction: 's2c'; readonly bytes: Uint8Array }
    /** The initiator ended the connection. */
    | { readonly kind: 'eof' | 'reset'; readonly direction: 'c2s' }
    /** The stand-in could not send any more: the initiator had gone. */
    | { readonly kind: 'lost'; readonly direction: 's2c' }
  );

export interface InitiatorFrame {
  readonly kind: 'frame';
  readonly direction: Direction;
  readonly handle: number;
  /** Bytes of payload; 0 for a close. */
  readonly length: number;
  /**
   * The kind of packet; undefined for stream data, closes, and packets of a kind that the protocol
   * does not know.
   */
  readonly type?: 'REQ' | 'REP' | 'PREP' | 'ACK' | 'NAK';
  /**
   * The front of the payload as far as the text shows it, at most all of it; undefined where its
   * first byte is not shown.
   */
  readonly front: Uint8Array | undefined;
}

/** The names of the cases, without the `initiator-` of their files. */
export function initiatorCaseNames(): readonly string[] {
  return captureNames('.txt')
    .filter((name) => name.startsWith('initiator-'))
    .map((name) => name.slice('initiator-'.length));
}

/** One case; a line of its text that is not understood is an error. */
export function initiatorCase(name: string): InitiatorCase {
  const [title = '', result = '', ...lines] = captureLines(`initiator-${name}.txt`);
  const [, command = ''] = /^### \S+: (.*)$/.exec(title) ?? [];
  const [, exitCode, seconds] = /^rc=(\d+) after ([\d.]+) s$/.exec(result) ?? [];
  const output: string[] = [];
  const steps: InitiatorStep[] = [];
  for (const line of lines) {
    // If a command printed no final newline, the first step follows on its last line.
    const [, printed, listed = ''] = /^( {2}out: .*?)?( +\d+\.\d{4} #\d+ .*)?$/.exec(line) ?? [];
    if (printed !== undefined) output.push(printed.slice('  out: '.length));
    if (listed !== '') steps.push(initiatorStep(listed));
    if (printed === undefined && listed === '' && line !== '')
      throw new Error(`A line of the case ${name} is not understood: ${line}`);
  }
  return { name, command, exitCode: Number(exitCode), seconds: Number(seconds), output, steps };
}

const stepLine = /^ +(\d+\.\d{4}) #(\d+) (C->S|S->C| {4}) (.*)$/;
const frameLine = /^len=(\d+) handle=(\d+) (\S+)(?: (.*))?$/;

function initiatorStep(line: string): InitiatorStep {
  const [, seconds, connection, arrow, rest = ''] = stepLine.exec(line) ?? [];
  const origin = { time: Number(seconds), connection: Number(connection) };
  const connected = /^connection from port (\d+)$/.exec(rest);
  if (connected !== null) return { ...origin, kind: 'connect', sourcePort: Number(connected[1]) };
  if (rest === '[EOF]') return { ...origin, kind: 'eof', direction: 'c2s' };
  if (rest === '[[Errno 104] Connection reset by peer]')
    return { ...origin, kind: 'reset', direction: 'c2s' };
  if (rest.startsWith('send failed ')) return { ...origin, kind: 'lost', direction: 's2c' };
  const frame = frameLine.exec(rest);
  if (frame === null) return { ...origin, kind: 'bytes', direction: 's2c', bytes: literal(rest) };
  return { ...origin, ...initiatorFrame(arrow === 'C->S' ? 'c2s' : 's2c', frame) };
}

const typeBytes = { REQ: 0, REP: 1, PREP: 2, ACK: 3, NAK: 4 } as const;
type TypeName = keyof typeof typeBytes;

/**
 * Handles below this one are taken for packets by the tool that wrote the texts, the others for
 * stream data.
 */
const FIRST_STREAM_HANDLE = 400_000;

function initiatorFrame(
  direction: Direction,
  [, lengthText, handleText, word = '', shownText]: readonly (string | undefined)[],
): InitiatorFrame {
  const base = {
    kind: 'frame' as const,
    direction,
    length: Number(lengthText),
    handle: Number(handleText),
  };
  if (word === 'CLOSE') return { ...base, front: new Uint8Array(0) };
  const shown = literal(shownText ?? '');
  if (!isTypeName(word))
    return { ...base, front: base.handle < FIRST_STREAM_HANDLE ? undefined : shown };
  // What initiators send is shown without its NUL, what the stand-in sent with it.
  const whole = direction === 'c2s' && shown.length + 2 === base.length;
  return {
    ...base,
    type: word,
    front: new Uint8Array([typeBytes[word], ...shown, ...(whole ? [0] : [])]),
  };
}

function isTypeName(word: string): word is TypeName {
  return Object.hasOwn(typeBytes, word);
}

const escapes: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9 };

/** The bytes of a Python literal, `b'…'` or `'…'`, which may be cut off at its end. */
export function literal(text: string): Uint8Array {
  const bytes: number[] = [];
  const body = text.replace(/^b?(['"])(.*?)\1?$/s, '$2');
  for (const [part, hex, letter] of body.matchAll(/\\x([0-9a-f]{2})|\\(.)|[^\\]/gs)) {
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else if (letter !== undefined) bytes.push(escapes[letter] ?? letter.charCodeAt(0));
    else bytes.push(part.charCodeAt(0));
  }
  return new Uint8Array(bytes);
}
