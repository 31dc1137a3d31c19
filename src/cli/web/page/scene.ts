import type { EventFacts } from '../page-messages.js';
import type { Palette } from './palette.js';
import type { Selection } from './selection.js';
import type { LaneView } from './store.js';
import type { TimeWindow } from './timeline.js';

/** In pixels. */
export const sizes = { axis: 26, row: 46, bar: 16, capsule: 18, font: 11 } as const;

/** Everything that is drawn. */
export interface Scene {
  readonly lanes: readonly LaneView[];
  readonly view: TimeWindow;
  /** The conversation's current time, in milliseconds since it was opened. */
  readonly present: number;
  readonly isOpen: boolean;
  readonly selection: Selection | undefined;
  readonly palette: Palette;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** The vertical scroll position, in pixels. */
  readonly top: number;
}

/** A mark that is wider than its moment, and its position. */
export interface Drawn {
  readonly lane: number;
  readonly event: EventFacts;
  readonly from: number;
  readonly to: number;
}

export function xAt({ view, width }: Scene, at: number): number {
  return ((at - view.from) / view.span) * width;
}

/** The vertical centre of a lane. */
export function yOf({ top }: Scene, lane: number): number {
  return sizes.axis + lane * sizes.row + sizes.row / 2 - top;
}

/** The index of a lane's colour: 0 for connections, in turn for the lanes under them. */
export function hueOf({ facts }: LaneView): number {
  return facts.under === undefined ? 0 : ((facts.index - 1) % 6) + 1;
}
