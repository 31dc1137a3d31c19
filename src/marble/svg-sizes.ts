import { charactersOf } from './layout-words.js';
/** Sizes in pixels at the picture's natural size. Widths of text are estimates that err on the wide side, since nothing here can measure. */
export const sizes = {
  padding: 20,
  /** From the edge of one lane to the next one's. */
  lane: 46,
  /** From a lane's upper edge to its line. */
  line: 22,
  track: 17,
  marble: 24,
  indent: 18,
  axis: 24,
  rowGap: 20,
  legendLine: 28,
} as const;

/** The width of a text on a marble: 12 px, monospace. */
export function captionWidth(text: string): number {
  return charactersOf(text).length * 7.3;
}

/** The width of a text in a proportional face of that size. */
export function textWidth(text: string, size: number): number {
  return charactersOf(text).length * size * 0.59;
}

/** How many characters of a proportional face fit into a width. */
export function charactersIn(width: number, size: number): number {
  return Math.max(8, Math.floor(width / (size * 0.56)));
}

/** The width of a break of the axis, with its time above it. */
export function breakLabelWidth(text: string): number {
  return textWidth(text, 11) + 18;
}
