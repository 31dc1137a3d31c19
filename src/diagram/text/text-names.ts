import { depthOf, kindInWords, shownName, tracksOf } from '../layout/layout-caption.js';
import { short } from '../layout/layout-words.js';
import type { Diagram, Lane } from '../model.js';
import type { Glyphs } from './text-glyphs.js';
import { styles, type TextLine } from './text-line.js';
import { columnsOf } from './text-width.js';

/** The columns at the left of a row. */
export interface NameColumns {
  readonly width: number;
  readonly put: (line: TextLine, lane: Lane) => TextLine;
  readonly putTrack: (line: TextLine, lane: Lane, label: string) => TextLine;
}

/** From this width on, lanes also show their kind. */
const WIDE = 60;

/** The names of lanes and of the lines below them, in at most two fifths of the columns. */
export function nameColumns({ lanes }: Diagram, columns: number, glyphs: Glyphs): NameColumns {
  const room = Math.floor(columns * 0.4);
  const cut = (text: string, limit = room): string =>
    short(glyphs.text(text), limit, columnsOf, glyphs.text('…'));
  const indented = (lane: Lane, text: string): string =>
    cut(`${'  '.repeat(Math.max(0, depthOf(lane, lanes) - 1))}${text}`);
  const name = (lane: Lane): string =>
    indented(
      lane,
      depthOf(lane, lanes) === 0 ? shownName(lane) : `${glyphs.under}${shownName(lane)}`,
    );
  const trackName = (lane: Lane, label: string): string =>
    indented(lane, `${depthOf(lane, lanes) === 0 ? '' : '  '}${label}`);
  const about = (lane: Lane): string => {
    const sign = lane.direction === undefined ? '' : glyphs.directions[lane.direction];
    return (columns < WIDE ? [sign] : [kindInWords(lane), sign])
      .filter((part) => part !== '')
      .join(' ');
  };
  const nameWidth = Math.max(0, ...lanes.map((lane) => columnsOf(name(lane))));
  const wholeWidth = Math.max(0, ...lanes.map((lane) => nameWidth + 2 + about(lane).length));
  const trackWidths = lanes.flatMap((lane) =>
    tracksOf(lane).map(({ label }) => columnsOf(trackName(lane, label))),
  );
  const width = Math.min(room, Math.max(wholeWidth, ...trackWidths));
  return {
    width,
    put: (line, lane) =>
      line
        .put(0, name(lane), styles.name)
        .put(
          nameWidth + 2,
          nameWidth + 2 + about(lane).length <= width ? about(lane) : '',
          styles.quiet,
        ),
    putTrack: (line, lane, label) => line.put(0, trackName(lane, label), styles.quiet),
  };
}
