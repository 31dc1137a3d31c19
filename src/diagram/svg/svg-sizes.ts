import { charactersOf, columnsOf, emsOf, type Measure } from '../text/text-width.js';

/** Pixels at the picture's natural size. Widths of texts are generous estimates. */
export const svgSizes = {
  padding: 20,
  /** From the upper edge of one lane to that of the next. */
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

/** The size of a font in pixels, and whether it is bold. */
export interface Face {
  readonly size: number;
  readonly bold?: boolean;
}

/** How much wider bold letters are. */
const BOLD = 1.13;

/** The width of a text in a proportional face. */
export function textWidth(text: string, { size, bold = false }: Face): number {
  return Math.max(charactersOf(text).length * 0.59, emsOf(text) * (bold ? BOLD : 1)) * size;
}

/** Measures a text that is cut to fit; a closer estimate than {@link textWidth}. */
export function fitting({ size, bold = false }: Face): Measure {
  return (text) =>
    Math.max(charactersOf(text).length * 0.56, emsOf(text) * (bold ? BOLD : 1)) * size;
}

/** The width of a break of the axis, with its time above it. */
export function breakLabelWidth(text: string): number {
  return textWidth(text, { size: 11 }) + 18;
}

/** The indentation of a lane under so many others; at most that of four. */
export function indentOf(depth: number): number {
  return Math.min(depth, 4) * svgSizes.indent;
}
