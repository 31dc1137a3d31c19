/**
 * Text on the wire is bytes that are usually UTF-8. What must be passed on stays bytes; what is
 * read or shown goes through here.
 */

const encoder = new TextEncoder();
let decoder: InstanceType<typeof TextDecoder> | undefined;

const NONE = new Uint8Array(0);

/** The bytes of a text, UTF-8; bytes stay as they are. */
export function encodeText(text: string | Uint8Array): Uint8Array {
  if (typeof text !== 'string') return text;
  return text === '' ? NONE : (asciiBytes(text) ?? encoder.encode(text));
}

/** The text of bytes, UTF-8; a byte that is not UTF-8 reads as U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  // A spread would take ten times as long.
  if (isShortAscii(bytes)) return Reflect.apply(String.fromCharCode, null, bytes) as string;
  decoder ??= new TextDecoder('utf-8', { ignoreBOM: true });
  return decoder.decode(bytes);
}

/** Longest text for which no encoder or decoder is asked. Their first use takes some tenths of a millisecond: a process for one noop needs neither before it has answered. */
const SHORT = 64;

/** Undefined for a text that is longer, or not ASCII. */
function asciiBytes(text: string): Uint8Array | undefined {
  if (text.length > SHORT) return undefined;
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code >= 0x80) return undefined;
    bytes[index] = code;
  }
  return bytes;
}

function isShortAscii(bytes: Uint8Array): boolean {
  if (bytes.length > SHORT) return false;
  for (let index = 0; index < bytes.length; index += 1)
    if ((bytes[index] ?? 0) >= 0x80) return false;
  return true;
}

/** A text from the network made safe for a terminal or a log: control characters become `\xNN`, the rest stays. */
export function printable(text: string, limit = 200): string {
  const shown = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return shown.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    escapeControl,
  );
}

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeControl(character: string): string {
  const code = character.charCodeAt(0);
  return (
    escapes[character] ??
    (code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`)
  );
}
