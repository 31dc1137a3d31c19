import type { EventFacts } from '../page-messages.js';
import type { Palette } from './palette.js';
import type { Selection } from './selection.js';
import type { LaneView } from './store.js';
import type { TimeWindow } from './timeline.js';

/** Pixels. */
export const sizes = { axis: 26, row: 46, bar: 16, capsule: 18, font: 11 } as const;

/** What is to be seen. */
export interface Scene {
  readonly lanes: readonly LaneView[];
  readonly view: TimeWindow;
  /** How far the conversation's time has come, in milliseconds. */
  readonly present: number;
  readonly isOpen: boolean;
  readonly selection: Selection | undefined;
  readonly palette: Palette;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** How far the lanes are scrolled down, in pixels. */
  readonly top: number;
}

/** Where something was drawn that is wider than its moment. */
export interface Drawn {
  readonly lane: number;
  readonly event: EventFacts;
  readonly from: number;
  readonly to: number;
}

export function xAt({ view, width }: Scene, at: number): number {
  return ((at - view.from) / view.span) * width;
}

/** The middle of a lane. */
export function yOf({ top }: Scene, lane: number): number {
  return sizes.axis + lane * sizes.row + sizes.row / 2 - top;
}

/** The colour of a lane: connections have none, those under them take turns. The name beside it tells lanes apart, too. */
export function hueOf({ facts }: LaneView): number {
  return facts.under === undefined ? 0 : ((facts.index - 1) % 6) + 1;
}
