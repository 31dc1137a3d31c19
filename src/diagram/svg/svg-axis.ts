import { timeInWords } from '../layout/layout-words.js';
import type { Break, Row, Stop } from '../layout/layout.js';
import { decimal, element, label, joinMarkup, type Markup } from './svg-markup.js';
import type { SvgScene } from './svg-scene.js';
import { svgSizes, textWidth } from './svg-sizes.js';

/** The axis: a tick for each step, times up to the first break, and the length of each break. */
export function drawAxis({ left }: SvgScene, row: Row, y: number): Markup {
  const base = y + svgSizes.axis - 6;
  const ticks = ticksOf(row.stops)
    .map((x) => `M${decimal(left + x)} ${decimal(base)}v4`)
    .join('');
  const numbers = numbersOf(row).map(({ x, text, isStart }) =>
    label(left + x, base - 4, 's k q', text, isStart ? undefined : 'middle'),
  );
  const breaks = row.breaks.map(({ x, end, milliseconds }) =>
    label(left + (x + end) / 2, base - 4, 's k b', timeInWords(milliseconds), 'middle'),
  );
  return joinMarkup(
    element('path', {
      class: 'guide',
      d: `M${decimal(left)} ${decimal(base)}h${decimal(row.width)}${ticks}`,
    }),
    ...numbers,
    ...breaks,
  );
}

/** The breaks of a row, between two heights. */
export function drawBreaks({ left }: SvgScene, row: Row, top: number, bottom: number): Markup {
  return joinMarkup(...row.breaks.map((one) => drawBreak(left, one, top, bottom)));
}

/** Lines that join marbles of the same time on different lanes. */
export function drawGuides(
  { left }: SvgScene,
  row: Row,
  middles: ReadonlyMap<string, number>,
): Markup {
  const guides = row.stops.flatMap(({ at, x }) => {
    const heights = row.groups.flatMap((group) =>
      group.at === at ? [middles.get(group.lane.name) ?? 0] : [],
    );
    return heights.length < 2
      ? []
      : [`M${decimal(left + x)} ${decimal(Math.min(...heights))}V${decimal(Math.max(...heights))}`];
  });
  return guides.length === 0
    ? joinMarkup()
    : element('path', { class: 'guide', d: guides.join('') });
}

function drawBreak(left: number, { x, end }: Break, top: number, bottom: number): Markup {
  const middle = left + (x + end) / 2;
  const teeth = Math.max(1, Math.round((bottom - top) / 12));
  const half = decimal((bottom - top) / teeth / 2);
  const edge = (place: number): string =>
    `M${decimal(place)} ${decimal(top)}${`l4 ${half}l-4 ${half}`.repeat(teeth)}`;
  return joinMarkup(
    element('rect', {
      class: 'gap',
      x: middle - 6,
      y: top - 10,
      width: 14,
      height: bottom - top + 10,
    }),
    element('path', { class: 'torn', d: `${edge(middle - 8)}${edge(middle + 4)}` }),
  );
}

function ticksOf(stops: readonly Stop[]): readonly number[] {
  return stops.flatMap(({ x, steps }, index) => {
    const from = stops[index - 1]?.x ?? x;
    return steps === 0
      ? [x]
      : Array.from({ length: steps }, (_, step) => from + ((x - from) * (step + 1)) / steps);
  });
}

interface AxisNumber {
  readonly x: number;
  readonly text: string;
  /** Whether its place is its start, not its middle. */
  readonly isStart: boolean;
}

/** The times at the start of the row and before its first break. */
function numbersOf(row: Row): readonly AxisNumber[] {
  const { from, stops, breaks } = row;
  const firstBreak = breaks[0]?.x ?? Infinity;
  if (from > 0 && firstBreak === 0) return startAfterBreak(row);
  const shown: AxisNumber[] = [];
  for (const { at, x } of stops) {
    const last = shown.at(-1);
    const text = timeInWords(at);
    const isFar = last === undefined || (x - last.x > 46 && text !== last.text);
    if (x < firstBreak && isFar && (at === from || x > 40) && firstBreak - x > 24)
      shown.push({ x, text, isStart: x < 8 });
  }
  return shown;
}

/** The start of a further row that begins with a break, if it fits before the next one. */
function startAfterBreak({ from, stops, breaks }: Row): readonly AxisNumber[] {
  const x = stops[0]?.x ?? 0;
  const text = timeInWords(from);
  const next = breaks[1]?.x ?? Infinity;
  return x + textWidth(text, { size: 11 }) <= next ? [{ x, text, isStart: true }] : [];
}
