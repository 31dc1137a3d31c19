import { acrossFrom, stepped, type Selection } from './selection.js';
import type { Stage } from './stage.js';
import type { LaneView } from './store.js';

/** The objects that the keys act on. */
export interface KeyTargets {
  readonly stage: Stage;
  readonly lanes: () => readonly LaneView[];
  readonly selection: () => Selection | undefined;
  readonly save: () => void;
}

/** Handles a key of the lanes. Returns whether it was one. */
export function press(event: KeyboardEvent, targets: KeyTargets): boolean {
  if (event.ctrlKey || event.altKey || event.metaKey) return false;
  const { stage, save } = targets;
  const action = event.shiftKey ? shifted(event.key, stage) : undefined;
  if (action !== undefined) action();
  else if (event.key in ways) walk(ways[event.key as keyof typeof ways], targets);
  else if (event.key === '+' || event.key === '=') stage.zoom(0.5);
  else if (event.key === '-' || event.key === '_') stage.zoom(2);
  else if (event.key === 'f' || event.key === 'F') stage.toggle();
  else if (event.key === '0') stage.fit();
  else if (event.key === 's' || event.key === 'S') save();
  else if (event.key === 'Escape') stage.select(undefined);
  else return false;
  return true;
}

interface Way {
  readonly along?: 1 | -1;
  readonly across?: 1 | -1;
  readonly to?: 'first' | 'last';
}

const ways = {
  ArrowRight: { along: 1 },
  ArrowLeft: { along: -1 },
  ArrowDown: { across: 1 },
  ArrowUp: { across: -1 },
  Home: { to: 'first' },
  End: { to: 'last' },
} as const satisfies Readonly<Record<string, Way>>;

function shifted(key: string, stage: Stage): (() => void) | undefined {
  if (key === 'ArrowRight') return () => stage.scroll(0.25);
  return key === 'ArrowLeft' ? () => stage.scroll(-0.25) : undefined;
}

/** Moves the selection. The first step selects the first event. */
function walk({ along, across, to }: Way, { stage, lanes, selection }: KeyTargets): void {
  const chosen = selection() ?? firstOf(lanes());
  if (chosen === undefined) return;
  const { lane, event } = chosen;
  const own = lanes()[lane];
  if (selection() === undefined || own === undefined) stage.select(chosen);
  else if (across !== undefined) stage.select(acrossFrom(lanes(), chosen, across) ?? chosen);
  else if (along !== undefined) stage.select({ lane, event: stepped(own, event, along) ?? event });
  else stage.select({ lane, event: (to === 'first' ? own.events[0] : own.events.at(-1)) ?? event });
}

function firstOf(lanes: readonly LaneView[]): Selection | undefined {
  const lane = lanes.findIndex(({ events }) => events.length > 0);
  const event = lanes[lane]?.events[0];
  return event === undefined ? undefined : { lane, event };
}
