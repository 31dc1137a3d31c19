import type { EventFacts } from '../page-messages.js';
import type { LaneView } from './store.js';

/** A chosen event and its lane. */
export interface Selection {
  readonly lane: number;
  readonly event: EventFacts;
}

/** The index of the first event that is not before a time. */
export function firstAt(events: readonly EventFacts[], at: number): number {
  let low = 0;
  for (let high = events.length; low < high;) {
    const middle = (low + high) >> 1;
    if ((events[middle]?.at ?? 0) >= at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * The event of a lane that is nearest to a time, within `tolerance` milliseconds. Prefers a packet
 * or an error to a chunk.
 */
export function nearest(
  { events }: LaneView,
  at: number,
  tolerance: number,
): EventFacts | undefined {
  let best: EventFacts | undefined;
  for (let index = firstAt(events, at - tolerance); index < events.length; index += 1) {
    const event = events[index];
    if (event === undefined || event.at > at + tolerance) break;
    if (best === undefined || rank(event, at, tolerance) < rank(best, at, tolerance)) best = event;
  }
  return best;
}

/** The next or previous event of the lane. */
export function stepped(
  { events }: LaneView,
  from: EventFacts,
  by: 1 | -1,
): EventFacts | undefined {
  const index = events.indexOf(from, firstAt(events, from.at));
  return index < 0 ? undefined : events[index + by];
}

/** The event at about the same time on the next lane, up or down, that has events. */
export function acrossFrom(
  lanes: readonly LaneView[],
  { lane, event }: Selection,
  by: 1 | -1,
): Selection | undefined {
  for (let index = lane + by; index >= 0 && index < lanes.length; index += by) {
    const { events } = lanes[index] ?? { events: [] };
    const next = firstAt(events, event.at);
    const [before, after] = [events[next - 1], events[next]];
    const closer =
      before !== undefined && (after === undefined || event.at - before.at < after.at - event.at)
        ? before
        : after;
    if (closer !== undefined) return { lane: index, event: closer };
  }
  return undefined;
}

/** Ranks by distance, and chunks after other events. */
function rank(event: EventFacts, at: number, tolerance: number): number {
  const isOneOfMany = event.kind === 'chunk' || event.kind === 'frame';
  return Math.abs(event.at - at) / tolerance + (isOneOfMany ? 0.5 : 0);
}
