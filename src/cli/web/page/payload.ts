import { UNPRINTABLE } from '../../../wire/text.js';

/** Decodes the base64 of a message. */
export function payloadBytes(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** Bytes as text. Line ends and tabs stay; other unprintable characters are escaped. */
export function payloadText(bytes: Uint8Array): string {
  return visible(new TextDecoder().decode(bytes));
}

/** Escapes unprintable characters, as {@link payloadText} does. */
export function visible(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    if (character === '\n' || character === '\t') return character;
    const hex = (character.codePointAt(0) ?? 0).toString(16);
    if (hex.length > 4) return `\\u{${hex}}`;
    return hex.length > 2 ? `\\u${hex.padStart(4, '0')}` : `\\x${hex.padStart(2, '0')}`;
  });
}

/** A hex dump: sixteen bytes a line, with offset and ASCII. */
export function payloadHex(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const digits = row.map((byte) => byte.toString(16).padStart(2, '0'));
    const left = digits.slice(0, 8).join(' ').padEnd(23);
    const right = digits.slice(8).join(' ').padEnd(23);
    const ascii = row
      .map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'))
      .join('');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${left}  ${right}  ${ascii}`);
  }
  return lines.join('\n');
}
