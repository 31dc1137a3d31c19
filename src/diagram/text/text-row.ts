import { tracksOf, type Track } from '../layout/layout-caption.js';
import { timeInWords } from '../layout/layout-words.js';
import type { HueOf } from '../layout/layout-hues.js';
import { endOf, startOf, xOf, type PlacedGroup, type Row } from '../layout/layout.js';
import type { Diagram, Lane } from '../model.js';
import type { Glyphs } from './text-glyphs.js';
import { hueStyles, styles, TextLine, type Style } from './text-line.js';
import { togetherText } from './text-medium.js';
import { columnsOf } from './text-width.js';

/** What the lines of a row need. */
export interface Writing {
  readonly diagram: Diagram;
  readonly glyphs: Glyphs;
  readonly hueOf: HueOf;
  /** The column where time begins, after the names. */
  readonly left: number;
}

/** The lengths of breaks, and the start of a further row; undefined when there is neither. */
export function axisLine(
  { left }: Writing,
  { from, width, stops, breaks }: Row,
): TextLine | undefined {
  const start = from === 0 ? '' : timeInWords(from);
  if (start === '' && breaks.length === 0) return undefined;
  const line = new TextLine();
  for (const { x, milliseconds } of breaks)
    line.put(left + x + 1, timeInWords(milliseconds), styles.quiet);
  // Only if it fits before the next break.
  const first = stops[0]?.x ?? 0;
  const free = Math.min(width, ...breaks.map(({ x }) => x).filter((x) => x >= first));
  if (first + start.length <= free) line.put(left + first, start, styles.quiet);
  return line;
}

/** A lane's line and marbles. */
export function laneLine(writing: Writing, lane: Lane, row: Row, line: TextLine): void {
  const { left, glyphs } = writing;
  const ended = endOf(lane);
  if (ended < row.from) return;
  const end = ended > row.to ? row.width : xOf(row, ended);
  const begin = startOf(lane, row);
  line.put(left + begin, glyphs.lines[lane.kind].repeat(Math.max(0, end - begin)), styles.quiet);
  for (const { x, end: over } of row.breaks)
    if (x >= begin && x < end) line.put(left + x, glyphs.gap.repeat(over - x), styles.quiet);
  for (const group of row.groups) if (group.lane.name === lane.name) putGroup(writing, group, line);
}

/** The lines below a lane. */
export function trackLines(
  { diagram, glyphs, left }: Writing,
  lane: Lane,
  row: Row,
  newLine: (track: Track) => TextLine,
): readonly TextLine[] {
  const tracks = tracksOf(lane).filter(({ periods }) =>
    periods.some(({ from, to = Infinity }) => from <= row.to && to >= row.from),
  );
  return tracks.map((track) => {
    const { begin, on, end } = glyphs.tracks[track.kind];
    const style = styles[track.kind];
    const line = newLine(track);
    for (const { from, to = Infinity } of track.periods) {
      if (from > row.to || to < row.from) continue;
      const [first, last] = [xOf(row, from), to > diagram.length ? row.width : xOf(row, to)];
      line.put(left + first, on.repeat(Math.max(0, last - first)), style);
      if (from >= row.from) line.put(left + first, begin, style);
      if (to <= row.to) line.put(left + last, end, style);
    }
    return line;
  });
}

function putGroup(
  { diagram, glyphs, hueOf, left }: Writing,
  { lane, events, hidden, x }: PlacedGroup,
  line: TextLine,
): void {
  const marks = events.map((event) => ({
    text: togetherText(diagram, [event], 0, glyphs),
    style:
      event.kind === 'error'
        ? styles.error
        : bold(hueStyles[hueOf(lane, event)] ?? '', (event.direction ?? lane.direction) === 'out'),
  }));
  const whole = togetherText(diagram, events, hidden, glyphs);
  line.put(left + x, whole);
  let at = 0;
  for (const { text, style } of marks) {
    const place = whole.indexOf(text, at);
    line.put(left + x + columnsOf(whole.slice(0, place)), text, style);
    at = place + text.length;
  }
}

/** Outgoing events are bold. */
function bold(style: Style, isBold: boolean): Style {
  return isBold ? ['1', style].filter((part) => part !== '').join(';') : style;
}
