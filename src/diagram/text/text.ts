import { explanationsOf } from '../layout/layout-caption.js';
import { short, wrapped } from '../layout/layout-words.js';
import { huesOf } from '../layout/layout-hues.js';
import { lanesIn, layOut, type Row } from '../layout/layout.js';
import type { Diagram } from '../model.js';
import { asciiGlyphs, unicodeGlyphs, type Glyphs } from './text-glyphs.js';
import { hueStyles, styles, TextLine, type Style } from './text-line.js';
import { eventText, textMedium } from './text-medium.js';
import { columnsOf } from './text-width.js';
import { nameColumns, type NameColumns } from './text-names.js';
import { axisLine, laneLine, trackLines, type Writing } from './text-row.js';

/** Options of {@link toText}. */
export interface TextOptions {
  /** Columns, 20 or more; default 80. Time that does not fit goes into further rows. */
  readonly width?: number;
  /** With ANSI colours; default false. */
  readonly color?: boolean;
  /** With box drawing characters and arrows; default true. Otherwise ASCII only. */
  readonly unicode?: boolean;
  /** The resolution of time; default 1. More than twelve empty steps become a break. */
  readonly millisecondsPerStep?: number;
}

/**
 * Writes a diagram as text for a terminal, without a line break at the end.
 *
 *     wire    connection ↓  ═a═b═p═7:close
 *     └ seven stream 7 ↓    ──────────────(AB|)
 *
 * Control characters in texts of the diagram are written as `\xNN`. No line is wider than `width`:
 * wide and combining characters are counted as a terminal does.
 */
export function toText(
  diagram: Diagram,
  { width = 80, color = false, unicode = true, millisecondsPerStep = 1 }: TextOptions = {},
): string {
  const glyphs = unicode ? unicodeGlyphs : asciiGlyphs;
  const columns = Math.max(20, Math.floor(width));
  const names = nameColumns(diagram, columns, glyphs);
  const left = names.width + 2;
  const writing: Writing = { diagram, glyphs, left, hueOf: huesOf(diagram, hueStyles.length - 1) };
  const rows = layOut(diagram, textMedium(diagram, columns - left, glyphs), millisecondsPerStep);
  const blocks = [
    headingLines(diagram, columns, glyphs),
    ...rows.map((row) => rowLines(writing, names, row)),
    legendLines(writing, columns),
  ];
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => block.map((line) => line.toText(color, columns)).join('\n'))
    .join('\n\n');
}

function headingLines(
  { title, sentence }: Diagram,
  columns: number,
  glyphs: Glyphs,
): readonly TextLine[] {
  const block = (text: string, style: Style): readonly TextLine[] =>
    wrapped(glyphs.text(text), columns, columnsOf).map((line) =>
      new TextLine().put(0, line, style),
    );
  return [...block(title, styles.title), ...block(sentence, '')];
}

function rowLines(writing: Writing, names: NameColumns, row: Row): readonly TextLine[] {
  const axis = axisLine(writing, row);
  return [
    ...(axis === undefined ? [] : [axis]),
    ...lanesIn(writing.diagram, row).flatMap((lane) => {
      const line = names.put(new TextLine(), lane);
      laneLine(writing, lane, row, line);
      return [
        line,
        ...trackLines(writing, lane, row, ({ label }) =>
          names.putTrack(new TextLine(), lane, label),
        ),
      ];
    }),
  ];
}

/** As many explanations in each line as fit, three blanks apart. */
function legendLines({ diagram, glyphs, hueOf }: Writing, columns: number): readonly TextLine[] {
  const lines: TextLine[] = [];
  let x = Infinity;
  for (const { lane, event, label } of explanationsOf(diagram)) {
    const mark = eventText(diagram, event, glyphs);
    const textAt = columnsOf(mark) + 1;
    const text = short(glyphs.text(label), columns - textAt, columnsOf, glyphs.text('…'));
    const width = textAt + columnsOf(text);
    if (x + width > columns) {
      lines.push(new TextLine());
      x = 0;
    }
    const style = event.kind === 'error' ? styles.error : (hueStyles[hueOf(lane, event)] ?? '');
    lines
      .at(-1)
      ?.put(x, mark, style)
      .put(x + textAt, text);
    x += width + 3;
  }
  return lines;
}
