import { depthOf, kindInWords, shownName, tracksOf } from '../layout/layout-caption.js';
import { short } from '../layout/layout-words.js';
import { endOf, startOf, xOf, type Row } from '../layout/layout.js';
import type { Lane } from '../model.js';
import { decimal, element, label, joinMarkup, type Markup } from './svg-markup.js';
import { drawGroup, wedge } from './svg-marble.js';
import type { SvgScene } from './svg-scene.js';
import { fitting, indentOf, svgSizes } from './svg-sizes.js';
import { drawTrack } from './svg-track.js';

/** The height of a lane with its tracks. */
export function laneHeight(lane: Lane): number {
  return svgSizes.lane + tracksOf(lane).length * svgSizes.track;
}

/** The texts at the left of a lane: its name, kind and direction, and the labels of its tracks. */
export function drawNames(scene: SvgScene, lane: Lane, y: number): Markup {
  const { lanes } = scene.diagram;
  const depth = depthOf(lane, lanes);
  const x = svgSizes.padding + indentOf(depth);
  const room = scene.left - x - 10;
  const base = y + svgSizes.line;
  return joinMarkup(
    ...(depth === 0
      ? []
      : [
          element('path', {
            class: 'tree',
            d: `M${decimal(x - 11)} ${decimal(y - 4)}v${decimal(svgSizes.line)}h7`,
          }),
        ]),
    label(x, base - 1, 's m b', short(shownName(lane), room, fitting({ size: 13, bold: true }))),
    ...about(lane, x, base + 13),
    ...tracksOf(lane).map((track, index) =>
      label(x, trackTop(y, index) + 10, 's k q', short(track.label, room, fitting({ size: 11 }))),
    ),
  );
}

/** `▾ stream 7 in`, with the wedge that the marbles have too. */
function about(lane: Lane, x: number, y: number): readonly Markup[] {
  const { direction } = lane;
  if (direction === undefined) return [label(x, y, 's k q', kindInWords(lane))];
  return [
    wedge(direction, x + 4, y - 6),
    label(x + 12, y, 's k q', `${kindInWords(lane)} ${direction}`),
  ];
}

/** The background of the marbles: shades of the spans, the line, and the tracks. */
export function drawLane(scene: SvgScene, lane: Lane, row: Row, y: number): Markup {
  const at = (time: number): number => scene.left + xOf(row, time);
  const shades = lane.spans.flatMap(({ kind, from, to = scene.diagram.length }) =>
    kind === 'waiting' || to < row.from || from > row.to
      ? []
      : [
          element('rect', {
            class: 'shade',
            x: at(from),
            y: y + 3,
            width: at(to) - at(from),
            height: svgSizes.lane - 10,
            fill: `url(#${scene.id}-${kind})`,
          }),
        ],
  );
  const tracks = tracksOf(lane).map((track, index) =>
    drawTrack(scene, track, row, trackTop(y, index)),
  );
  return joinMarkup(...shades, drawLine(scene, lane, row, y + svgSizes.line), ...tracks);
}

/** The marbles of a lane in a row. */
export function drawMarbles(scene: SvgScene, lane: Lane, row: Row, y: number): Markup {
  const groups = row.groups.filter((group) => group.lane.name === lane.name);
  return joinMarkup(
    ...groups.map(({ events, hidden, x }) =>
      drawGroup(
        events.map((event) => scene.marble(lane, event)),
        hidden,
        scene.left + x,
        y + svgSizes.line,
      ),
    ),
  );
}

/** The line of a lane, with an arrow if the lane goes on. */
function drawLine(scene: SvgScene, lane: Lane, row: Row, y: number): Markup {
  const ended = endOf(lane);
  if (ended < row.from) return joinMarkup();
  const group = row.groups.find(({ lane: own, at }) => own.name === lane.name && at === ended);
  const end = group === undefined ? scene.left + row.width + 12 : scene.left + group.x;
  const path = (className: string | undefined, d: string): Markup =>
    element('path', { class: className, d });
  const weight = lane.kind === 'connection' ? 'thick' : lane.kind === 'user' ? 'user' : undefined;
  const head =
    group === undefined ? [path(undefined, `M${decimal(end - 4)} ${decimal(y - 4)}l5 4-5 4`)] : [];
  return joinMarkup(
    path(weight, `M${decimal(scene.left + startOf(lane, row))} ${decimal(y)}H${decimal(end)}`),
    ...head,
  );
}

function trackTop(y: number, index: number): number {
  return y + svgSizes.lane - 5 + index * svgSizes.track;
}
