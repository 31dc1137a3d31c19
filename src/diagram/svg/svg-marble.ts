import type { Direction, LaneEvent } from '../model.js';
import type { Extent } from '../layout/layout.js';
import { decimal, element, joinMarkup, label, words, type Markup } from './svg-markup.js';
import { captionWidth, svgSizes } from './svg-sizes.js';

/** A marble: its event, its text, and the class of its colour. */
export interface Marble {
  readonly event: LaneEvent;
  readonly caption: string;
  readonly hue: string;
  readonly direction: Direction | undefined;
}

const GAP = 2;
const HALF = svgSizes.marble / 2;

/** The width of a marble, in pixels. */
export function marbleWidth({ event, caption }: Pick<Marble, 'event' | 'caption'>): number {
  switch (event.kind) {
    case 'complete':
      return 6;
    case 'error':
      return 18;
    case 'frame':
      return headWidth(event.handle) + bodyWidth(caption);
    case 'close':
      return event.handle === undefined
        ? bodyWidth(caption)
        : headWidth(event.handle) + bodyWidth(caption);
    case 'packet':
      return captionWidth(caption) + 12;
    case 'chunk':
    case 'value':
      return Math.max(svgSizes.marble, captionWidth(caption) + 14);
  }
}

/** How far adjacent marbles reach, when the middle of the first is at their time. */
export function groupExtent(
  marbles: readonly Pick<Marble, 'event' | 'caption'>[],
  hidden: number,
): Extent {
  const widths = marbles.map(marbleWidth);
  const all =
    widths.reduce((sum, width) => sum + width + GAP, -GAP) +
    (hidden > 0 ? GAP + hiddenWidth(hidden) : 0);
  const border = marbles.length > 1 ? 4 : 0;
  const before = (widths[0] ?? 0) / 2 + border;
  return { before, after: all - before + 2 * border };
}

/** Marbles of one time, side by side in a capsule, on a line at `y`. */
export function drawGroup(
  marbles: readonly Marble[],
  hidden: number,
  x: number,
  y: number,
): Markup {
  const { before, after } = groupExtent(marbles, hidden);
  const drawn: Markup[] = [];
  if (marbles.length > 1) {
    drawn.push(
      element('rect', {
        class: 'capsule',
        x: x - before,
        y: y - HALF - 4,
        width: before + after,
        height: svgSizes.marble + 8,
        rx: HALF + 4,
      }),
    );
  }
  let left = x - before + (marbles.length > 1 ? 4 : 0);
  marbles.forEach((marble, index) => {
    if (hidden > 0 && index === marbles.length - 1) {
      drawn.push(label(left + 3, y + 4, 'q', `+${hidden}`));
      left += hiddenWidth(hidden) + GAP;
    }
    const width = marbleWidth(marble);
    drawn.push(drawMarble(marble, left, y, width));
    left += width + GAP;
  });
  return joinMarkup(...drawn);
}

/** One marble from `left`, on a line at `y`. */
export function drawMarble(
  marble: Marble,
  left: number,
  y: number,
  width = marbleWidth(marble),
): Markup {
  const { event, hue, direction } = marble;
  const children = [
    ...arrow(event, direction, left + width / 2, y),
    ...shape(marble, left, y, width),
    ...tooltip(event),
  ];
  return element('g', { class: direction === 'out' ? `${hue} out` : hue }, ...children);
}

function shape(
  { event, caption }: Marble,
  left: number,
  y: number,
  width: number,
): readonly Markup[] {
  const box = { x: left, y: y - HALF, width, height: svgSizes.marble };
  const text = (from: number, to: number, className?: string): Markup =>
    label((from + to) / 2, y + 4, className, caption, 'middle');
  switch (event.kind) {
    case 'complete':
      return [
        element('path', {
          class: 'end',
          d: `M${decimal(left + 3)} ${decimal(y - HALF)}v${svgSizes.marble}`,
        }),
      ];
    case 'error':
      return [
        element('path', {
          class: 'error',
          d: `M${decimal(left + 2)} ${decimal(y - 7)}l14 14m0-14l-14 14`,
        }),
      ];
    case 'frame':
    case 'close':
      if (event.handle !== undefined)
        return framed(event.handle, event.kind, caption, left, y, width);
      return [element('rect', { ...box, rx: 3, class: 'hollow' }), text(left, left + width, 'on')];
    case 'packet':
      return [element('rect', { ...box, rx: 4 }), text(left, left + width)];
    case 'chunk':
    case 'value':
      return [element('rect', { ...box, rx: HALF }), text(left, left + width)];
  }
}

/** A frame: a header with the handle, then the payload. */
function framed(
  handle: number,
  kind: 'frame' | 'close',
  caption: string,
  left: number,
  y: number,
  width: number,
): readonly Markup[] {
  const head = headWidth(handle);
  const box = { y: y - HALF, height: svgSizes.marble };
  return [
    element('rect', {
      ...box,
      x: left,
      width,
      rx: 3,
      class: kind === 'close' ? 'hollow' : undefined,
    }),
    element('rect', { ...box, x: left, width: head, rx: 3, class: 'head' }),
    label(left + head / 2, y + 4, 'inv', String(handle), 'middle'),
    label(
      left + head + (width - head) / 2,
      y + 4,
      kind === 'close' ? 'on' : undefined,
      caption,
      'middle',
    ),
  ];
}

/** A wedge above a marble: it points at the lane for `in`, and away from it for `out`. */
function arrow(
  event: LaneEvent,
  direction: Direction | undefined,
  x: number,
  y: number,
): readonly Markup[] {
  if (
    direction === undefined ||
    event.kind === 'complete' ||
    event.kind === 'error' ||
    event.kind === 'value'
  )
    return [];
  return [wedge(direction, x, y - HALF - 7)];
}

/** The sign of a direction, five pixels high from `y`. */
export function wedge(direction: Direction, x: number, y: number): Markup {
  const d =
    direction === 'in'
      ? `M${decimal(x - 4)} ${decimal(y)}h8l-4 5z`
      : `M${decimal(x - 4)} ${decimal(y + 5)}h8l-4-5z`;
  return element('path', { class: 'wedge', d });
}

/** The label of a marble without a symbol. */
function tooltip({ symbol, kind, label: text }: LaneEvent): readonly Markup[] {
  return symbol === undefined && kind !== 'complete' ? [element('title', {}, words(text))] : [];
}

function headWidth(handle: number): number {
  return captionWidth(String(handle)) + 9;
}

function bodyWidth(caption: string): number {
  return captionWidth(caption) + 12;
}

function hiddenWidth(hidden: number): number {
  return captionWidth(`+${hidden}`) + 6;
}
