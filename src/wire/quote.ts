import { decodeText } from './text.js';

/**
 * A name as Amanda writes it into a line of words. It is in double quotes when it is empty or
 * contains a blank, control character, quote, backslash, colon or anything beyond ASCII.
 */
export function quote(name: string): string {
  if (/^[!-~]+$/.test(name) && !/[:'"\\]/.test(name)) return name;
  return `"${name.replace(/[\t\n\r\f\\"]/g, (character) => `\\${escapes.get(character) ?? character}`)}"`;
}

/**
 * The name that {@link quote} wrote. A backslash may also precede the octal digits of a byte or any
 * other character.
 */
export function unquote(quoted: string): string {
  return quoted.replace(
    /"|((?:\\[0-7]{1,3})+)|\\([^]|$)/g,
    (_, octals: string | undefined, escaped: string = '') =>
      octals === undefined ? (letters.get(escaped) ?? escaped) : bytesOf(octals),
  );
}

/** The words of a line, split at blanks outside quotes; each is still quoted. */
export function quotedWords(line: string): string[] {
  return line.match(/(?:\\[^]?|"(?:\\[^]|[^"\\])*["\\]?|[^ "\\])+/g) ?? [];
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['\t', 't'],
  ['\n', 'n'],
  ['\r', 'r'],
  ['\f', 'f'],
]);
const letters: ReadonlyMap<string, string> = new Map(
  [...escapes].map(([character, letter]) => [letter, character]),
);

/** One UTF-8 character may need several escapes. NUL is left out: it would end the name. */
function bytesOf(octals: string): string {
  const codes = octals.split('\\').map((digits) => Number.parseInt(digits, 8) & 0xff);
  return decodeText(Uint8Array.from(codes.filter((code) => code !== 0)));
}
