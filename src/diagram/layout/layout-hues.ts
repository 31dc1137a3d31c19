import type { Diagram, Lane, LaneEvent } from '../model.js';

/** The colour of an event, 0 for what has no handle, else 1 to `count`. A frame on a connection has the colour of its stream. */
export type HueOf = (lane: Lane, event: LaneEvent) => number;

/** Colours for the handles of a diagram in the order in which they come. With more handles than colours they begin anew: the number tells handles apart. */
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
