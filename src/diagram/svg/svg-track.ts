import type { Track } from '../layout/layout-caption.js';
import { xOf, type Row } from '../layout/layout.js';
import { decimal, element, label, joinMarkup, type Markup } from './svg-markup.js';
import type { SvgScene } from './svg-scene.js';

const HEIGHT = 12;

/** A line below a lane: `^` to `!` while subscribed, a patterned bar while paused or waiting. */
export function drawTrack(scene: SvgScene, { kind, periods }: Track, row: Row, y: number): Markup {
  const pieces = periods.flatMap(({ from, to }): readonly Markup[] => {
    if (from > row.to || (to ?? Infinity) < row.from) return [];
    const piece: Piece = {
      x: scene.left + xOf(row, from),
      end: to === undefined ? scene.left + row.width + 12 : scene.left + xOf(row, to),
      begins: from >= row.from,
      ends: to !== undefined && to <= row.to,
    };
    return kind === 'subscribed'
      ? subscription(piece, y)
      : bar(piece, kind, `${scene.id}-${kind}`, y);
  });
  return joinMarkup(...pieces);
}

interface Piece {
  readonly x: number;
  readonly end: number;
  /** Whether it begins in this row, and whether it ends here. */
  readonly begins: boolean;
  readonly ends: boolean;
}

function subscription({ x, end, begins, ends }: Piece, y: number): readonly Markup[] {
  const middle = y + HEIGHT / 2;
  return [
    element('path', {
      d: `M${decimal(x + (begins ? 5 : 0))} ${decimal(middle)}H${decimal(end - (ends ? 5 : 0))}`,
    }),
    ...(begins ? [label(x, middle + 8, 'm b', '^', 'middle')] : []),
    ...(ends ? [label(end, middle + 5, 'm b', '!', 'middle')] : []),
  ];
}

/** A bar; it has no edge at an end that is in another row. */
function bar(
  { x, end, begins, ends }: Piece,
  kind: string,
  pattern: string,
  y: number,
): readonly Markup[] {
  const edge = (place: number): string => `M${decimal(place)} ${decimal(y)}v${HEIGHT}`;
  const along = `M${decimal(x)} ${decimal(y)}H${decimal(end)}M${decimal(x)} ${decimal(y + HEIGHT)}H${decimal(end)}`;
  return [
    element('rect', { x, y, width: end - x, height: HEIGHT, fill: `url(#${pattern})` }),
    element('path', {
      class: `bar ${kind}`,
      d: `${along}${begins ? edge(x) : ''}${ends ? edge(end) : ''}`,
    }),
  ];
}
