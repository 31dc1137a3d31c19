import type { Diagram, Lane, LaneEvent } from '../model.js';

/** The sizes of a kind of drawing, in its own unit: pixels or characters. */
export interface Medium {
  /** The room for time in a row. */
  readonly width: number;
  /** The distance between one step of time and the next. */
  readonly step: number;
  /** The least distance between two marbles on a lane. */
  readonly margin: number;
  /** How far the events of one time on a lane reach; `hidden` more are only counted. */
  readonly extent: (lane: Lane, events: readonly LaneEvent[], hidden: number) => Extent;
  /** The width of a break of the axis for so many milliseconds. */
  readonly breakWidth: (milliseconds: number) => number;
}

export interface Extent {
  readonly before: number;
  readonly after: number;
}

/** The events of one time on one lane. */
export interface Group {
  readonly lane: Lane;
  readonly at: number;
  readonly events: readonly LaneEvent[];
  /** How many events did not fit. */
  readonly hidden: number;
  readonly extent: Extent;
}

export interface PlacedGroup extends Group {
  readonly x: number;
}

/** A place of the axis, from `x` to `end`, where time is left out. */
export interface Break {
  readonly x: number;
  readonly end: number;
  readonly milliseconds: number;
}

/** A time at which something happens, and its place, `steps` after the previous stop. */
export interface Stop {
  readonly at: number;
  readonly x: number;
  readonly steps: number;
}

/** A part of the time that fits the width. */
export interface Row {
  readonly from: number;
  readonly to: number;
  readonly width: number;
  readonly stops: readonly Stop[];
  readonly groups: readonly PlacedGroup[];
  readonly breaks: readonly Break[];
}

/** More empty steps than this become a break of the axis. */
const LONGEST_SILENCE = 12;

/**
 * Finds a place for every event. Events of one time are in one column, events on a lane do not
 * overlap, and a long silence is a break of the axis. What does not fit goes into further rows.
 * `millisecondsPerStep` is the resolution of time.
 */
export function layOut(
  diagram: Diagram,
  medium: Medium,
  millisecondsPerStep: number,
): readonly Row[] {
  const groups = groupsOf(diagram, medium);
  const rows: Row[] = [];
  let row = new OpenRow(medium);
  let before: number | undefined;
  for (const at of timesOf(diagram)) {
    const steps = before === undefined ? 0 : Math.ceil((at - before) / millisecondsPerStep);
    const moment: Moment = {
      at,
      silence: at - (before ?? at),
      steps,
      groups: groups.get(at) ?? [],
    };
    if (!row.place(moment)) {
      rows.push(row.close());
      row = new OpenRow(medium);
      row.place(moment);
    }
    before = at;
  }
  return [...rows, row.close()];
}

/** The place of a time in a row: at the edge for a time of another row. */
export function xOf(row: Row, at: number): number {
  if (at < row.from) return 0;
  return row.stops.find((stop) => stop.at === at)?.x ?? row.width;
}

/** The lanes of a row, with their spans in it. */
export function lanesIn({ lanes }: Diagram, row: Row): readonly Lane[] {
  return lanes.flatMap((lane) => {
    if (lane.from === undefined) return [lane];
    if (lane.from > row.to || endOf(lane) < row.from) return [];
    return [
      {
        ...lane,
        spans: lane.spans.filter(({ from, to = Infinity }) => from <= row.to && to > row.from),
      },
    ];
  });
}

/** The place where the line of a lane begins in a row. */
export function startOf({ from }: Lane, row: Row): number {
  return from === undefined ? 0 : xOf(row, from);
}

/** When a lane completes or errors; Infinity if it does not. */
export function endOf({ events }: Lane): number {
  const last = events.at(-1);
  return last?.kind === 'complete' || last?.kind === 'error' ? last.at : Infinity;
}

interface Moment {
  readonly at: number;
  /** Milliseconds since the moment before. */
  readonly silence: number;
  readonly steps: number;
  readonly groups: readonly Group[];
}

class OpenRow {
  readonly #stops: Stop[] = [];
  readonly #groups: PlacedGroup[] = [];
  readonly #breaks: Break[] = [];
  /** How far each lane is filled. */
  readonly #filled = new Map<string, number>();
  #end = 0;

  constructor(readonly medium: Medium) {}

  /** Places a moment. False when there is no room for it. */
  place({ at, silence, steps, groups }: Moment): boolean {
    const isBreak = steps > LONGEST_SILENCE;
    const last = this.#stops.at(-1);
    const before = Math.max(0, ...groups.map(({ extent }) => extent.before));
    const breakEnd = this.#end + (isBreak ? this.medium.breakWidth(silence) : 0);
    const unhindered =
      last === undefined || isBreak ? breakEnd + before : last.x + steps * this.medium.step;
    const x = Math.max(
      unhindered,
      ...groups.map((group) => this.#free(group.lane) + group.extent.before),
    );
    const end = x + Math.max(0, ...groups.map(({ extent }) => extent.after));
    if (last !== undefined && end > this.medium.width) return false;

    if (isBreak) this.#breaks.push({ x: this.#end, end: breakEnd, milliseconds: silence });
    this.#stops.push({ at, x, steps: isBreak || last === undefined ? 0 : steps });
    for (const group of groups) {
      this.#groups.push({ ...group, x });
      this.#filled.set(group.lane.name, x + group.extent.after);
    }
    this.#end = Math.max(this.#end, end);
    return true;
  }

  close(): Row {
    const from = this.#stops[0]?.at ?? 0;
    const to = this.#stops.at(-1)?.at ?? 0;
    return {
      from,
      to,
      width: this.#end,
      stops: this.#stops,
      groups: this.#groups,
      breaks: this.#breaks,
    };
  }

  #free({ name }: Lane): number {
    const filled = this.#filled.get(name);
    return filled === undefined ? 0 : filled + this.medium.margin;
  }
}

/** The start, the end, and every time at which something happens, begins or ends. */
function timesOf({ lanes, length }: Diagram): readonly number[] {
  const times = new Set([0, length]);
  for (const { from: begins = 0, events, spans, subscriptions } of lanes) {
    times.add(begins);
    for (const { at } of events) times.add(at);
    for (const { from, to } of [...spans, ...subscriptions]) times.add(from).add(to ?? length);
  }
  return [...times].filter((at) => at >= 0 && at <= length).sort((a, b) => a - b);
}

function groupsOf({ lanes }: Diagram, medium: Medium): ReadonlyMap<number, readonly Group[]> {
  const groups = new Map<number, Group[]>();
  for (const lane of lanes) {
    for (const [at, events] of byTime(lane.events)) {
      const group = fitting(lane, at, events, medium);
      groups.set(at, [...(groups.get(at) ?? []), group]);
    }
  }
  return groups;
}

function byTime(events: readonly LaneEvent[]): ReadonlyMap<number, readonly LaneEvent[]> {
  const times = new Map<number, LaneEvent[]>();
  for (const event of events) {
    const together = times.get(event.at);
    if (together === undefined) times.set(event.at, [event]);
    else together.push(event);
  }
  return times;
}

/** The events of one time take at most this part of a row, so that others fit before them. */
const WIDEST_GROUP = 0.8;

/** As many events as fit; always with the last one, because it may be the end. */
function fitting(lane: Lane, at: number, events: readonly LaneEvent[], medium: Medium): Group {
  let shown = events;
  let extent = medium.extent(lane, shown, 0);
  while (extent.before + extent.after > medium.width * WIDEST_GROUP && shown.length > 1) {
    shown = [...shown.slice(0, Math.min(shown.length - 2, 64)), ...shown.slice(-1)];
    extent = medium.extent(lane, shown, events.length - shown.length);
  }
  return { lane, at, events: shown, hidden: events.length - shown.length, extent };
}
