import type { Diagram, Lane, LaneEvent } from '../model.js';

/** The colour of an event: 1 to `count`, or 0 without a handle. A frame has that of its stream. */
export type HueOf = (lane: Lane, event: LaneEvent) => number;

/** Colours for the handles of a diagram, in order of appearance; reused when there are too few. */
export function huesOf({ lanes }: Diagram, count: number): HueOf {
  const own = lanes.map(({ handle }) => handle);
  const carried = lanes.flatMap((lane) => lane.events.map((event) => handleOf(lane, event)));
  const handles = [...new Set([...own, ...carried])].filter((handle) => handle !== undefined);
  const hues = new Map<number | undefined, number>(
    handles.map((handle, index) => [handle, (index % count) + 1]),
  );
  return (lane, event) => hues.get(handleOf(lane, event)) ?? 0;
}

function handleOf(lane: Lane, event: LaneEvent): number | undefined {
  return event.kind === 'frame' || event.kind === 'close'
    ? (event.handle ?? lane.handle)
    : lane.handle;
}
