import type { Diagram, Lane, LaneEvent } from '../model.js';

/** What a way of drawing says about its sizes, in its own unit: pixels or characters. */
export interface Medium {
  /** The room for time in a row. */
  readonly width: number;
  /** The distance between one step of time and the next. */
  readonly step: number;
  /** The least distance between two marbles on a lane. */
  readonly margin: number;
  /** How far what happens together on a lane reaches before and behind its time. `hidden` more are not drawn, only counted. */
  readonly extent: (lane: Lane, events: readonly LaneEvent[], hidden: number) => Extent;
  /** How wide a break of the axis is that stands for so many milliseconds. */
  readonly breakWidth: (milliseconds: number) => number;
}

export interface Extent {
  readonly before: number;
  readonly behind: number;
}

/** What happens at one time on one lane. */
export interface Group {
  readonly lane: Lane;
  readonly at: number;
  readonly events: readonly LaneEvent[];
  /** How many more there were than fit. */
  readonly hidden: number;
  readonly extent: Extent;
}

export interface PlacedGroup extends Group {
  readonly x: number;
}

/** A place of the axis where time is left out, from `x` to `end`. */
export interface Break {
  readonly x: number;
  readonly end: number;
  readonly milliseconds: number;
}

/** A time that something begins, ends or happens at, and where it lies. `steps` lead to it from the stop before it. */
export interface Stop {
  readonly at: number;
  readonly x: number;
  readonly steps: number;
}

/** Time from left to right, as far as there is room. */
export interface Row {
  readonly from: number;
  readonly to: number;
  readonly width: number;
  readonly stops: readonly Stop[];
  readonly groups: readonly PlacedGroup[];
  readonly breaks: readonly Break[];
}

/** More steps than this without anything in them become a break of the axis. */
const LONGEST_SILENCE = 12;

/**
 * Finds a place for everything that happens: what is at the same time lies in the same column, nothing on a lane overlaps, and a long
 * silence is a break of the axis. What does not fit goes into further rows. `millisecondsPerStep` is how fine time is told apart.
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

/** Where a time of a lane lies in a row: at its edge when it lies in another row. */
export function xOf(row: Row, at: number): number {
  if (at < row.from) return 0;
  return row.stops.find((stop) => stop.at === at)?.x ?? row.width;
}

/** The lanes that there are in a row, with the spans that reach into it. */
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

/** Where the line of a lane begins in a row. */
export function startOf({ from }: Lane, row: Row): number {
  return from === undefined ? 0 : xOf(row, from);
}

/** When a lane ends, by completion or an error; never, if it does not. */
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
  /** How far each lane is taken. */
  readonly #taken = new Map<string, number>();
  #end = 0;

  constructor(readonly medium: Medium) {}

  /** Takes a moment, unless there is no room for it. */
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
    const end = x + Math.max(0, ...groups.map(({ extent }) => extent.behind));
    if (last !== undefined && end > this.medium.width) return false;

    if (isBreak) this.#breaks.push({ x: this.#end, end: breakEnd, milliseconds: silence });
    this.#stops.push({ at, x, steps: isBreak || last === undefined ? 0 : steps });
    for (const group of groups) {
      this.#groups.push({ ...group, x });
      this.#taken.set(group.lane.name, x + group.extent.behind);
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
    const taken = this.#taken.get(name);
    return taken === undefined ? 0 : taken + this.medium.margin;
  }
}

/** The start, the end, and every time at which something happens, begins or ends, a lane among it. */
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

/** What happens at one time takes no more than this part of a row, so that something before it has room, too. */
const WIDEST_GROUP = 0.8;

/** As many of the events as there is room for; the last one is always among them, since it may be the end. */
function fitting(lane: Lane, at: number, events: readonly LaneEvent[], medium: Medium): Group {
  let shown = events;
  let extent = medium.extent(lane, shown, 0);
  while (extent.before + extent.behind > medium.width * WIDEST_GROUP && shown.length > 1) {
    shown = [...shown.slice(0, Math.min(shown.length - 2, 64)), ...shown.slice(-1)];
    extent = medium.extent(lane, shown, events.length - shown.length);
  }
  return { lane, at, events: shown, hidden: events.length - shown.length, extent };
}
