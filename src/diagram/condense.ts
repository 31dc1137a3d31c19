import { sizeInWords } from './layout/layout-words.js';
import type { Diagram, LaneEvent, Period, Span } from './model.js';

/**
 * Makes a recorded diagram readable: joins events that are close in time until at most `most` are
 * left, or one for each lane. Before that it joins chunks until streams have `chunks` on average.
 */
export function condense(diagram: Diagram, most = 100, chunks = Infinity): Diagram {
  const events = condenseEvents(
    chunks === Infinity ? lanesOf(diagram) : condenseChunks(diagram, chunks),
    most,
  );
  return {
    ...diagram,
    lanes: diagram.lanes.map((lane, index) => ({
      ...lane,
      events: (events[index] ?? []).map(relabelled),
    })),
  };
}

function lanesOf({ lanes }: Diagram): readonly (readonly LaneEvent[])[] {
  return lanes.map(({ events }) => events);
}

function condenseChunks(diagram: Diagram, chunks: number): readonly (readonly LaneEvent[])[] {
  const lanes = lanesOf(diagram);
  const others = lanes.flat().filter(({ kind }) => kind !== 'chunk').length;
  const streams = diagram.lanes.filter(({ kind }) => kind === 'stream').length;
  return condenseLanes(lanes, others + chunks * streams, [areChunks], duration, joinEvents);
}

/**
 * Joins neighbours on a lane, the closest in time first, until the lanes have at most `most`
 * events, or one each. Chunks are joined first, then events of one kind, then others, and errors
 * and ends last.
 */
export function condenseEvents(
  lanes: readonly (readonly LaneEvent[])[],
  most: number,
): readonly (readonly LaneEvent[])[] {
  return condenseLanes(
    lanes,
    most,
    [areChunks, areAlike, areUneventful, () => true],
    duration,
    joinEvents,
  );
}

/** Whether two neighbours can be joined and lose only their times. */
export function areChunks(first: LaneEvent, second: LaneEvent): first is Chunk {
  return first.kind === 'chunk' && second.kind === 'chunk' && first.direction === second.direction;
}

type Chunk = Extract<LaneEvent, { readonly kind: 'chunk' }>;

/** One chunk instead of two neighbours; {@link relabelled} gives it its label. */
export function joinChunks(first: Chunk, second: Chunk): Chunk {
  return {
    kind: 'chunk',
    at: first.at,
    bytes: first.bytes + second.bytes,
    preview: first.preview,
    label: first.label,
    direction: first.direction,
    count: (first.count ?? 1) + (second.count ?? 1),
    until: second.until ?? second.at,
  };
}

/** The event with the label of a joined one. */
export function relabelled(event: LaneEvent): LaneEvent {
  return event.kind === 'chunk' && event.count !== undefined
    ? { ...event, label: `${event.count} chunks, ${sizeInWords(event.bytes)}` }
    : event;
}

/** As {@link condenseEvents}, for spans. */
export function condenseSpans(
  lanes: readonly (readonly Span[])[],
  most: number,
): readonly (readonly Span[])[] {
  return condenseLanes(
    lanes,
    most,
    [(a, b) => a.kind === b.kind && a.label === b.label, (a, b) => a.kind === b.kind, () => true],
    (a, b) => (b.to ?? Infinity) - a.from,
    joinSpans,
  );
}

type Pair<T, R> = (first: T, second: T) => R;

/** Each round joins pairs, so that regular events are joined into equal parts. */
function condenseLanes<T>(
  lanes: readonly (readonly T[])[],
  most: number,
  levels: readonly Pair<T, boolean>[],
  cost: Pair<T, number>,
  join: Pair<T, T>,
) {
  let now = lanes;
  for (const mayJoin of levels) {
    for (;;) {
      const surplus = countOf(now) - most;
      if (surplus <= 0) return now;
      const costs = now.flatMap((lane) => costsOf(lane, mayJoin, cost));
      if (costs.length === 0) break;
      const highest =
        Float64Array.from(costs).sort()[Math.min(surplus, costs.length) - 1] ?? Infinity;
      now = joinPairs(
        now,
        surplus,
        (first, second) => mayJoin(first, second) && cost(first, second) <= highest,
        join,
      );
    }
  }
  return now;
}

function joinPairs<T>(
  lanes: readonly (readonly T[])[],
  surplus: number,
  mayJoin: Pair<T, boolean>,
  join: Pair<T, T>,
): readonly (readonly T[])[] {
  let left = surplus;
  return lanes.map((lane) => {
    const kept: T[] = [];
    // The first of a possible pair; a pair that was just joined waits for the next round.
    let open: T | undefined;
    for (const item of lane) {
      if (open !== undefined && left > 0 && mayJoin(open, item)) {
        kept[kept.length - 1] = join(open, item);
        left -= 1;
        open = undefined;
      } else {
        kept.push(item);
        open = item;
      }
    }
    return kept;
  });
}

function costsOf<T>(
  lane: readonly T[],
  mayJoin: Pair<T, boolean>,
  cost: Pair<T, number>,
): readonly number[] {
  const costs: number[] = [];
  let before: T | undefined;
  for (const item of lane) {
    if (before !== undefined && mayJoin(before, item)) costs.push(cost(before, item));
    before = item;
  }
  return costs;
}

function countOf(lanes: readonly (readonly unknown[])[]): number {
  return lanes.reduce((sum, lane) => sum + lane.length, 0);
}

function areAlike(first: LaneEvent, second: LaneEvent): boolean {
  if (first.kind !== second.kind || first.direction !== second.direction) return false;
  return first.kind !== 'packet' || second.kind !== 'packet' || first.type === second.type;
}

function areUneventful(first: LaneEvent, second: LaneEvent): boolean {
  return !isEnd(first) && !isEnd(second);
}

function isEnd({ kind }: LaneEvent): boolean {
  return kind === 'error' || kind === 'complete';
}

function duration(first: LaneEvent, second: LaneEvent): number {
  return (second.until ?? second.at) - first.at;
}

function joinEvents(first: LaneEvent, second: LaneEvent): LaneEvent {
  if (first.kind === 'chunk' && second.kind === 'chunk') return joinChunks(first, second);
  const count = (first.count ?? 1) + (second.count ?? 1);
  const joined = { count, until: second.until ?? second.at };
  if (first.kind === 'packet' && second.kind === 'packet' && areAlike(first, second)) {
    return {
      ...first,
      ...joined,
      bytes: first.bytes + second.bytes,
      label: `${first.label.replace(MANY, '')}, ${count} of this type`,
    };
  }
  if (areAlike(first, second)) return { ...first, ...joined };
  return { kind: 'value', at: first.at, ...joined, label: `${count} events` };
}

/** The end of the label of joined packets. */
const MANY = /, \d+ of this type$/;

function joinSpans(first: Span, second: Span): Span {
  const period: Period = { from: first.from, to: second.to };
  return {
    kind: first.kind,
    label: first.label === second.label ? first.label : first.kind,
    ...period,
  };
}
