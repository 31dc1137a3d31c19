/** The width of a text, in the unit of the drawing. */
export type Measure = (text: string) => number;

/** The characters as a reader sees them: a letter with its accents is one, and so is an emoji. */
export function charactersOf(text: string): readonly string[] {
  // Nearly all texts are ASCII, and the segmenter takes a hundred times as long.
  return PLAIN.test(text)
    ? text.split('')
    : Array.from(graphemes.segment(text), ({ segment }) => segment);
}

/** The columns of a terminal that a text takes. */
export function columnsOf(text: string): number {
  return PLAIN.test(text) ? text.length : sum(text, columnsOfCharacter);
}

/** The width of a text in a wide proportional font, in ems. */
export function emsOf(text: string): number {
  return sum(text, emsOfCharacter);
}

const PLAIN = /^[ -~]*$/;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * Characters of two columns: East Asian wide ones and emoji. Source: Unicode, UAX 11 and UTS 51.
 */
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
const WITHOUT_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

function columnsOfCharacter(character: string): number {
  if (WITHOUT_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** Widths of characters, from narrow to wide. */
const widths: readonly (readonly [characters: RegExp, ems: number])[] = [
  [/^[ '.,:;!|ijlI]/, 0.33],
  [/^[frt()[\]/\\-]/, 0.41],
  [/^[mW%@…]/, 1],
  [/^[wM#+=<>~&]/, 0.86],
  [/^[CDGHNOQU]/, 0.79],
  [/^[A-Z]/, 0.69],
  [/^[ -~]/, 0.62],
];

function emsOfCharacter(character: string): number {
  const known =
    plainEms[character.charCodeAt(0)] ??
    widths.find(([characters]) => characters.test(character))?.[1];
  if (known !== undefined) return known;
  return WITHOUT_WIDTH.test(character) ? 0 : WIDE.test(character) ? 1.25 : 0.75;
}

/** {@link widths} by the code of the character. */
const plainEms: readonly (number | undefined)[] = Array.from(
  { length: 128 },
  (_, code) => widths.find(([characters]) => characters.test(String.fromCharCode(code)))?.[1],
);

function sum(text: string, measure: Measure): number {
  return charactersOf(text).reduce((width, character) => width + measure(character), 0);
}
