import { captionOf, depthOf, kindInWords, shownName, tracksOf } from '../layout/layout-caption.js';
import { huesOf } from '../layout/layout-hues.js';
import type { Diagram, Lane, LaneEvent } from '../model.js';
import type { Marble } from './svg-marble.js';
import { indentOf, svgSizes, textWidth } from './svg-sizes.js';
import { hueCount } from './svg-style.js';

/** What all parts of a picture need. */
export interface SvgScene {
  readonly diagram: Diagram;
  readonly id: string;
  /** Pixels, including the padding. */
  readonly width: number;
  /** The place where time begins, after the names of the lanes. */
  readonly left: number;
  /** The colours in use; 0 is for events without a handle. */
  readonly hues: readonly number[];
  readonly marble: (lane: Lane, event: LaneEvent) => Marble;
}

/** The most pixels for the names of lanes. */
const WIDEST_NAMES = 190;

export function setScene(diagram: Diagram, id: string, width: number): SvgScene {
  const hueOf = huesOf(diagram, hueCount);
  const left =
    svgSizes.padding +
    Math.min(
      WIDEST_NAMES,
      Math.max(60, ...diagram.lanes.map((lane) => nameWidth(lane, diagram.lanes))),
    ) +
    18;
  return {
    diagram,
    id,
    width,
    left,
    hues: [
      ...new Set(diagram.lanes.flatMap((lane) => lane.events.map((event) => hueOf(lane, event)))),
    ].sort((a, b) => a - b),
    marble: (lane, event) => ({
      event,
      caption: captionOf(event, diagram),
      hue: `h${hueOf(lane, event)}`,
      direction: event.direction ?? lane.direction,
    }),
  };
}

function nameWidth(lane: Lane, lanes: readonly Lane[]): number {
  const direction = lane.direction === undefined ? 0 : 32;
  const widths = [
    textWidth(shownName(lane), { size: 13.5, bold: true }),
    textWidth(kindInWords(lane), { size: 11 }) + direction,
    ...tracksOf(lane).map(({ label }) => textWidth(label, { size: 11 })),
  ];
  return indentOf(depthOf(lane, lanes)) + Math.max(...widths);
}
