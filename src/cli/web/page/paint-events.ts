import { short, sizeInWords } from '../../../diagram/layout/layout-words.js';
import type { EventFacts } from '../page-messages.js';
import { visible } from './payload.js';
import { type Drawn, type Scene, hueOf, sizes, xAt, yOf } from './scene.js';
import { firstAt } from './selection.js';
import type { LaneView } from './store.js';

/** The most pixels that a mark may be moved to the right to avoid the previous one. */
const MOST_DRIFT = 160;
/** The width of a size beside its bar, in pixels. */
const SIZE_ROOM = 60;
const FULL_BAR = 20;

/** Draws the events of a lane: data as bars, everything else as marks with labels. */
export function paintEvents(
  pen: CanvasRenderingContext2D,
  scene: Scene,
  lane: LaneView,
  index: number,
): readonly Drawn[] {
  const { view } = scene;
  // A mark from before the visible range may extend into it.
  const first = firstAt(lane.events, view.from - (view.span * 300) / scene.width);
  const bars = { in: new Map<number, number>(), out: new Map<number, number>() };
  const marks: EventFacts[] = [];
  for (let at = first; at < lane.events.length; at += 1) {
    const event = lane.events[at];
    if (event === undefined || event.at > view.from + view.span) break;
    if (event.kind === 'chunk' || event.kind === 'frame') {
      const x = Math.round(xAt(scene, event.at));
      const side = bars[directionOf(lane, event)];
      side.set(x, (side.get(x) ?? 0) + (event.bytes ?? 0));
    } else marks.push(event);
  }
  const y = yOf(scene, index);
  const markAt = marks.map((event) => xAt(scene, event.at));
  for (const direction of ['out', 'in'] as const)
    paintBars(pen, scene, [...bars[direction]], { direction, y, hue: hueOf(lane), markAt });
  return paintMarks(pen, scene, marks, { lane, index, y });
}

export function directionOf({ facts }: LaneView, event: EventFacts): 'in' | 'out' {
  return event.direction ?? facts.direction ?? 'out';
}

interface BarPlace {
  readonly direction: 'in' | 'out';
  readonly y: number;
  readonly hue: number;
  readonly markAt: readonly number[];
}

/**
 * Draws bars up for data of the initiator and down for the target's. Their height is logarithmic.
 */
function paintBars(
  pen: CanvasRenderingContext2D,
  { palette }: Scene,
  bars: readonly (readonly [number, number])[],
  { direction, y, hue, markAt }: BarPlace,
): void {
  const { stroke } = palette.hues[hue] ?? { stroke: palette.text };
  const up = direction === 'out';
  pen.fillStyle = stroke;
  bars.forEach(([x, bytes], index) => {
    const height = 3 + (sizes.bar - 3) * Math.min(1, Math.log2(1 + bytes) / FULL_BAR);
    pen.fillRect(x - 1, up ? y - height : y, 3, height);
    const next = bars[index + 1]?.[0] ?? Infinity;
    if (next - x < SIZE_ROOM || markAt.some((mark) => mark > x - 20 && mark < x + SIZE_ROOM))
      return;
    pen.fillStyle = palette.quiet;
    pen.fillText(sizeInWords(bytes), x + 5, up ? y - 9 : y + 10);
    pen.fillStyle = stroke;
  });
}

interface MarkPlace {
  readonly lane: LaneView;
  readonly index: number;
  readonly y: number;
}

function paintMarks(
  pen: CanvasRenderingContext2D,
  scene: Scene,
  marks: readonly EventFacts[],
  { lane, index, y }: MarkPlace,
): readonly Drawn[] {
  const drawn: Drawn[] = [];
  let free = -Infinity;
  marks.forEach((event, number) => {
    const x = xAt(scene, event.at);
    const from = Math.max(x, free);
    const next = marks[number + 1];
    const room = next === undefined ? Infinity : xAt(scene, next.at) - from - 3;
    if (from - x > MOST_DRIFT) {
      paintTick(pen, scene, event, x, y);
      return;
    }
    const to = from + paintMark(pen, scene, lane, event, { x: from, y, room });
    drawn.push({ lane: index, event, from, to });
    free = to + 3;
  });
  return drawn;
}

/** Draws an event without room for a label as a tick. */
function paintTick(
  pen: CanvasRenderingContext2D,
  { palette }: Scene,
  event: EventFacts,
  x: number,
  y: number,
): void {
  pen.fillStyle = event.kind === 'error' ? palette.error : palette.text;
  pen.fillRect(x - 1, y + sizes.capsule / 2 + 1, 2, 6);
}

interface MarkRoom {
  readonly x: number;
  readonly y: number;
  readonly room: number;
}

/** Draws a mark and returns its width. */
function paintMark(
  pen: CanvasRenderingContext2D,
  scene: Scene,
  lane: LaneView,
  event: EventFacts,
  { x, y, room }: MarkRoom,
): number {
  const { palette } = scene;
  if (event.kind === 'complete') {
    pen.fillStyle = palette.text;
    pen.fillRect(x, y - 12, 4, 24);
    return 4;
  }
  const words = wordsOf(lane, event);
  const width = (text: string): number => pen.measureText(text).width + 10;
  const text = words.find((one) => width(one) <= room) ?? words.at(-1) ?? '';
  const isOut = directionOf(lane, event) === 'out' && event.kind === 'packet';
  const { fill, stroke } = palette.hues[hueOf(lane)] ?? {
    fill: palette.page,
    stroke: palette.text,
  };
  const edge = event.kind === 'error' ? palette.error : stroke;
  pen.fillStyle = isOut ? stroke : event.kind === 'packet' ? fill : palette.page;
  pen.strokeStyle = edge;
  pen.lineWidth = event.kind === 'error' ? 2 : 1.3;
  pen.beginPath();
  pen.roundRect(
    x,
    y - sizes.capsule / 2,
    width(text),
    sizes.capsule,
    event.kind === 'packet' ? 9 : 3,
  );
  pen.fill();
  pen.stroke();
  pen.fillStyle = isOut ? palette.page : event.kind === 'error' ? palette.error : palette.text;
  pen.fillText(text, x + 5, y + 0.5);
  return width(text);
}

/** The labels of a mark, from long to short. An arrow shows the direction. */
function wordsOf(lane: LaneView, event: EventFacts): readonly string[] {
  const arrow = directionOf(lane, event) === 'out' ? '→' : '←';
  const label = short(visible(event.label), 26);
  switch (event.kind) {
    case 'packet':
      return [`${arrow} ${label}`, `${arrow} ${event.type ?? ''}`];
    case 'close':
      return [`${arrow} close`, `${arrow}⊣`];
    case 'error':
      return [`✕ ${event.code ?? label}`, '✕'];
    default:
      return [label, short(label, 4)];
  }
}
