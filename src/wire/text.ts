/**
 * Text on the wire is bytes, usually UTF-8. What is passed on stays bytes; what is read or shown
 * goes through here.
 */

/** The byte that ends a line. */
export const NEWLINE = 0x0a;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** A character that stands for a byte that is not UTF-8: U+DC80 … U+DCFF. */
const STRAY = /[\u{dc80}-\u{dcff}]/u;

/** The bytes of a text: UTF-8, and the stray bytes of {@link decodeText}. Bytes stay. */
export function encodeText(text: string | Uint8Array): Uint8Array {
  if (typeof text !== 'string') return text;
  return STRAY.test(text) ? encodeStray(text) : encoder.encode(text);
}

/**
 * The text of bytes, UTF-8. A stray byte, which is not UTF-8, reads as U+DC00 plus its value. No
 * UTF-8 gives that, so {@link encodeText} gives the same bytes.
 */
export function decodeText(bytes: Uint8Array): string {
  const text = decoder.decode(bytes);
  return text.includes('\ufffd') ? decodeStray(bytes) : text;
}

function encodeStray(text: string): Uint8Array {
  const parts = text
    .split(/([\u{dc80}-\u{dcff}]+)/u)
    .map((part, at) =>
      at % 2 === 0
        ? encoder.encode(part)
        : Uint8Array.from(part, (character) => character.charCodeAt(0) & 0xff),
    );
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function decodeStray(bytes: Uint8Array): string {
  let text = '';
  let start = 0;
  let at = 0;
  while (at < bytes.length) {
    const length = lengthOfCharacter(bytes, at);
    if (length === 0) {
      if (start < at) text += decoder.decode(bytes.subarray(start, at));
      text += String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
      start = at + 1;
    }
    at += Math.max(1, length);
  }
  return text + decoder.decode(bytes.subarray(start));
}

/** The bytes of the UTF-8 character at a place; 0 when there is none. Source: RFC 3629. */
function lengthOfCharacter(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const second = bytes[at + 1] ?? 0;
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (length === 0 || second < least || second > most) return 0;
  for (let next = at + 2; next < at + length; next += 1)
    if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

/** The bytes before the first one of a value; all of them without one. */
export function bytesBefore(bytes: Uint8Array, value: number): Uint8Array {
  const end = bytes.indexOf(value);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/**
 * The words of a line, separated by blanks and tabs only: a CR, a comma or a `#` is part of its
 * word. Splits without a pattern, which V8 compiles for longer than a short file takes.
 */
export function wordsOf(line: string): string[] {
  return line
    .replaceAll('\t', ' ')
    .split(' ')
    .filter((word) => word !== '');
}

/** Words two by two; a single one at the end is dropped. */
export function pairs(words: readonly string[]): (readonly [string, string])[] {
  return Array.from(
    { length: words.length >> 1 },
    (_, pair) => [words[2 * pair] ?? '', words[2 * pair + 1] ?? ''] as const,
  );
}

/**
 * Characters that a terminal obeys or does not show: controls, formats (those of bidirectional text
 * among them), separators of lines, and halves of characters.
 */
export const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Makes a text from the network safe for a terminal or a log. A character that is not printable
 * becomes `\xNN`, `\uNNNN` or `\u{NNNNN}`, and a stray byte `\xNN`. All else stays. A longer
 * result than `limit` is cut, and ends with `…`.
 */
export function printable(text: string, limit = 200): string {
  const shown = text.slice(0, limit + 1).replace(UNPRINTABLE, escapeCharacter);
  if (shown.length <= limit) return shown;
  return `${shown.slice(0, limit).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** JSON without characters that {@link printable} would escape. It means the same. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(UNPRINTABLE, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = (STRAY.test(character) ? code & 0xff : code).toString(16);
  if (hex.length > 4) return `\\u{${hex}}`;
  return (
    escapes[character] ??
    (hex.length > 2 ? `\\u${hex.padStart(4, '0')}` : `\\x${hex.padStart(2, '0')}`)
  );
}

/**
 * The same error with printable texts: its message, its stack, what led to it, and its other texts.
 * A clean error stays itself; another one becomes a copy of the same class.
 */
export function printableError(error: unknown, depth = 0): unknown {
  if (typeof error === 'string') return printable(error, Infinity);
  if (!(error instanceof Error)) return error;
  const safe: PropertyDescriptorMap = {};
  for (const name of Object.getOwnPropertyNames(error)) {
    // A stack repeats the message, and V8 makes its text when it is read.
    if (name === 'stack') continue;
    const value: unknown = Reflect.get(error, name);
    const made = name === 'cause' && depth < MAX_CAUSES ? printableError(value, depth + 1) : value;
    const text = typeof made === 'string' ? printable(made, Infinity) : made;
    if (text !== value) safe[name] = { value: text, writable: true, configurable: true };
  }
  if (Object.keys(safe).length === 0) return error;
  const trace = (error.stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line));
  const message = String(safe.message?.value ?? error.message);
  const stack = [`${error.name}: ${message}`, ...trace.map((line) => printable(line, Infinity))];
  return Object.create(Object.getPrototypeOf(error) as object, {
    ...Object.getOwnPropertyDescriptors(error),
    ...safe,
    stack: { value: stack.join('\n'), writable: true, configurable: true },
  });
}

/** The longest chain of causes that is made printable. */
const MAX_CAUSES = 8;

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
