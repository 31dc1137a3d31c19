/** The visible range of time, in milliseconds since the conversation was opened. */
export interface TimeWindow {
  readonly from: number;
  readonly span: number;
  /** Whether it follows the present. */
  readonly follows: boolean;
}

/** The bounds of the visible time, in milliseconds. */
const LEAST = 1;
const MOST = 7 * 24 * 3_600_000;
/** The part of the width that stays free after the present. */
const AHEAD = 0.04;
/** The parts of the width that stay free around a fitted range. */
const MARGIN = 0.02;
const LAST_WORDS = 0.14;

/** Ten seconds that follow the present. */
export const followingView: TimeWindow = { from: 0, span: 10_000, follows: true };

/** Moves a following window to the present. Time before the beginning is never shown. */
export function moved(view: TimeWindow, present: number): TimeWindow {
  return view.follows ? { ...view, from: Math.max(0, present - view.span * (1 - AHEAD)) } : view;
}

/** Zooms in when `factor` is below 1. The time at `part` of the width stays in place. */
export function zoomed(view: TimeWindow, factor: number, part: number): TimeWindow {
  const span = Math.min(MOST, Math.max(LEAST, view.span * factor));
  const fixed = view.from + view.span * part;
  return { ...view, span, from: Math.max(0, fixed - span * part) };
}

/** Scrolls by a part of the width, and stops following. */
export function scrolled(view: TimeWindow, part: number): TimeWindow {
  return { ...view, from: Math.max(0, view.from + view.span * part), follows: false };
}

/** Shows the time between two moments, with room for the last label, and stops following. */
export function fitted(first: number, last: number): TimeWindow {
  const span = Math.min(MOST, Math.max(LEAST, (last - first) / (1 - MARGIN - LAST_WORDS)));
  return { from: Math.max(0, first - span * MARGIN), span, follows: false };
}

/** Makes a time visible, away from the edges. */
export function showing(view: TimeWindow, at: number): TimeWindow {
  const part = (at - view.from) / view.span;
  if (part >= 0.01 && part <= 0.98) return view;
  return { ...view, from: Math.max(0, at - view.span / 2), follows: false };
}

/**
 * About `count` times for the axis, at round steps: 1, 2 or 5 times a power of ten, or those of a
 * clock.
 */
export function ticks({ from, span }: TimeWindow, count: number): readonly number[] {
  const step = roundStep(span / Math.max(1, count));
  const first = Math.ceil(from / step);
  return Array.from(
    { length: Math.max(0, Math.floor((from + span) / step) - first + 1) },
    (_, index) => Number(((first + index) * step).toPrecision(12)),
  );
}

const clockSteps = [
  60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 86_400_000,
];

function roundStep(least: number): number {
  if (least > 30_000) return clockSteps.find((step) => step >= least) ?? 86_400_000;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((one) => one * power >= least) ?? 10);
}
