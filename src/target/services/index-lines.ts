import type { Readable } from 'node:stream';
import { encodeText } from '../../wire/text.js';

/**
 * Makes an INDEX stream from tar's list of names: it removes the `.` at the start of each.
 *
 *     listed  ./  ./b/  ./b/two.txt
 *     index   /   /b/   /b/two.txt
 */
export async function* indexLines(listed: Readable): AsyncGenerator<Uint8Array, void, undefined> {
  let last = '\n';
  for await (const chunk of listed) {
    // One character a byte, because names may have any encoding.
    const text = (chunk as Buffer).toString('latin1');
    yield Buffer.from((last + text).replaceAll('\n.', '\n').slice(1), 'latin1');
    last = text.slice(-1);
  }
}

/**
 * The line of an INDEX stream for a path, as tar lists it: bytes other than printable ASCII are
 * escaped.
 *
 *     /grün.csv  →  /gr\303\274n.csv
 */
export function indexLine(path: string): Uint8Array {
  return encodeText(`${Array.from(encodeText(path), escaped).join('')}\n`);
}

const letters: ReadonlyMap<number, string> = new Map([
  [0x07, '\\a'],
  [0x08, '\\b'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0b, '\\v'],
  [0x0c, '\\f'],
  [0x0d, '\\r'],
  [0x5c, '\\\\'],
]);

function escaped(byte: number): string {
  const letter = letters.get(byte);
  if (letter !== undefined) return letter;
  return byte >= 0x20 && byte < 0x7f
    ? String.fromCharCode(byte)
    : `\\${byte.toString(8).padStart(3, '0')}`;
}
