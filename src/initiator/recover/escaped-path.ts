/**
 * The escaped form of a path, as tar lists it in the C locale: in ASCII, with `\303\274` for the
 * bytes of `ü`. Latin-1 here means one character for each byte.
 */
export function escapePath(latin1: string): string {
  return latin1.replace(/[^ -[\]-~]/g, (character) => {
    const letter = LETTERS.get(character);
    return `\\${letter ?? character.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });
}

/** The reverse of {@link escapePath}. */
export function unescapePath(escaped: string): string {
  return Buffer.from(escaped)
    .toString('latin1')
    .replace(/\\(?:([0-7]{1,3})|([^]))/g, (_, octal?: string, letter: string = '') =>
      octal === undefined
        ? (CHARACTERS.get(letter) ?? letter)
        : String.fromCharCode(Number.parseInt(octal, 8) & 0xff),
    );
}

/** The path as text; a byte that is not UTF-8 reads as U+FFFD. */
export function textOfEscaped(escaped: string): string {
  return Buffer.from(unescapePath(escaped), 'latin1').toString();
}

/** The path for people; in escaped form when it is not UTF-8. */
export function shownPath(latin1: string): string {
  const text = Buffer.from(latin1, 'latin1').toString();
  return text.includes('\ufffd') ? escapePath(latin1) : text;
}

const LETTERS: ReadonlyMap<string, string> = new Map([
  ['\x07', 'a'],
  ['\b', 'b'],
  ['\f', 'f'],
  ['\n', 'n'],
  ['\r', 'r'],
  ['\t', 't'],
  ['\v', 'v'],
  ['\\', '\\'],
]);
const CHARACTERS: ReadonlyMap<string, string> = new Map(
  [...LETTERS].map(([character, letter]) => [letter, character]),
);
