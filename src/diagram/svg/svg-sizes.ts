import { charactersOf, columnsOf, emsOf, type Measure } from '../text/text-width.js';

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
  return columnsOf(text) * 7.3;
}

/** A face of letters: its size in pixels, and whether it is bold. */
export interface Face {
  readonly size: number;
  readonly bold?: boolean;
}

/** Bold letters are so much wider. */
const BOLD = 1.13;

/** The width of a text in a proportional face. */
export function textWidth(text: string, { size, bold = false }: Face): number {
  return Math.max(charactersOf(text).length * 0.59, emsOf(text) * (bold ? BOLD : 1)) * size;
}

/** What decides where a text is cut: closer than {@link textWidth}, which leaves room behind it. */
export function fitting({ size, bold = false }: Face): Measure {
  return (text) =>
    Math.max(charactersOf(text).length * 0.56, emsOf(text) * (bold ? BOLD : 1)) * size;
}

/** The width of a break of the axis, with its time above it. */
export function breakLabelWidth(text: string): number {
  return textWidth(text, { size: 11 }) + 18;
}

/** How far a lane under so many others is moved to the right. Beyond the fourth the lines of the tree have to tell. */
export function indentOf(depth: number): number {
  return Math.min(depth, 4) * sizes.indent;
}
