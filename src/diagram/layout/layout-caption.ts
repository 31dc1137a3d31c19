import {
  LANE_SEPARATOR,
  type Diagram,
  type Lane,
  type LaneEvent,
  type LegendEntry,
  type Span,
} from '../model.js';
import { printable } from '../../wire/text.js';
import { numberInWords, short, sizeInWords } from './layout-words.js';

/** What is written on a marble: the name of a packet, the symbol that the legend explains, else a size or the front of a label. */
export function captionOf(event: LaneEvent, diagram: Diagram): string {
  const { count = 1 } = event;
  if (count === 1) return captionOfOne(event, diagram);
  const many = `×${numberInWords(count)}`;
  if (event.kind === 'value') return many;
  const isSum = event.kind === 'chunk' || event.kind === 'frame';
  return `${many} ${isSum ? '= ' : ''}${captionOfOne(event, diagram)}`;
}

function captionOfOne(event: LaneEvent, { legend }: Diagram): string {
  switch (event.kind) {
    case 'packet':
      return isOneOfMany(event.type, legend) && event.symbol !== undefined
        ? `${event.type}:${event.symbol}`
        : event.type;
    case 'close':
      return 'close';
    case 'complete':
      return '|';
    case 'error':
      return '#';
    case 'frame':
    case 'chunk':
      return (
        event.symbol ??
        (event.bytes < 1024 && event.count === undefined
          ? String(event.bytes)
          : sizeInWords(event.bytes))
      );
    case 'value':
      return event.symbol ?? short(printable(event.label), 12);
  }
}

/** An entry of the legend that a reader needs, with an event to show how it is drawn. */
export interface Explanation {
  readonly lane: Lane;
  readonly event: LaneEvent;
  readonly label: string;
}

/** The legend in the order in which things come, without what says itself, such as a bare ACK. Errors that no symbol stands for are told by their label. */
export function explanationsOf({ lanes, legend }: Diagram): readonly Explanation[] {
  const labels = new Map(legend.map(({ symbol, label }) => [symbol, label]));
  const explanations = new Map<string, Explanation>();
  let errors = 0;
  for (const { lane, event } of lanes.flatMap((one) =>
    one.events.map((event) => ({ lane: one, event })),
  )) {
    const isUntold = event.kind === 'error' && event.symbol === undefined && errors < MOST_ERRORS;
    const told = isUntold
      ? event.label
      : event.symbol === undefined
        ? undefined
        : labels.get(event.symbol);
    const label = told === undefined ? undefined : wordsFor(event, told);
    const key = event.symbol ?? `error ${event.label}`;
    if (label === undefined || explanations.has(key)) continue;
    if (isUntold) errors += 1;
    explanations.set(key, { lane, event, label });
  }
  return [...explanations.values()];
}

const MOST_ERRORS = 8;

/** What a lane is, in a few words: "stream 7", "handle 1". Its direction is told beside it. */
export function kindInWords({ kind, handle }: Lane): string {
  return handle === undefined ? kind : `${kind} ${handle}`;
}

/** What a lane is called where it stands: without the name of the lane above it. */
export function shownName({ name, under }: Lane): string {
  const front = `${under ?? ''}${LANE_SEPARATOR}`;
  return under !== undefined && name.startsWith(front) ? name.slice(front.length) : name;
}

/** How many lanes a lane lies under. */
export function depthOf({ under }: Lane, lanes: readonly Lane[]): number {
  const names = new Set<string>();
  for (
    let name = under;
    name !== undefined && !names.has(name);
    name = lanes.find((lane) => lane.name === name)?.under
  )
    names.add(name);
  return names.size;
}

/** One of the lines below a lane: subscriptions, or spans of one label. */
export interface Track {
  readonly kind: Span['kind'] | 'subscribed';
  readonly label: string;
  readonly periods: readonly { readonly from: number; readonly to: number | undefined }[];
}

/** The lines below a lane; periods that overlap get a line each. */
export function tracksOf({ subscriptions, spans }: Lane): readonly Track[] {
  const tracks: (Track & { readonly periods: Track['periods'][number][] })[] = [];
  const all = [
    ...subscriptions.map((period) => ({
      kind: 'subscribed' as const,
      label: 'subscribed',
      ...period,
    })),
    ...spans,
  ];
  for (const { kind, label, from, to } of all.toSorted((a, b) => a.from - b.from)) {
    const free = tracks.find(
      (track) =>
        track.kind === kind &&
        track.label === label &&
        (track.periods.at(-1)?.to ?? Infinity) < from,
    );
    if (free === undefined) tracks.push({ kind, label, periods: [{ from, to }] });
    else free.periods.push({ from, to });
  }
  // Those of one label stand together, in the order in which the lane has them.
  const order = [...new Set(all.map(({ label }) => label))];
  return tracks.sort((a, b) => order.indexOf(a.label) - order.indexOf(b.label));
}

function isOneOfMany(type: string, legend: readonly LegendEntry[]): boolean {
  return legend.filter(({ label }) => label === type || label.startsWith(`${type} `)).length > 1;
}

/** The words behind what the marble says itself: the type of a packet, the handle of a frame. */
function wordsFor(event: LaneEvent, label: string): string | undefined {
  if (event.kind === 'close') return undefined;
  if (event.kind === 'packet' && label === event.type) return undefined;
  const front =
    event.kind === 'packet' ? `${event.type} ` : event.kind === 'frame' ? `${event.handle}: ` : '';
  return printable(label.startsWith(front) ? label.slice(front.length) : label);
}
