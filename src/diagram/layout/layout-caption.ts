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

/**
 * The text on a marble: the type of a packet, a symbol of the legend, or a size or a short label.
 */
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

/** An entry of the legend, with an event that shows how it is drawn. */
export interface Explanation {
  readonly lane: Lane;
  readonly event: LaneEvent;
  readonly label: string;
}

/**
 * The legend in order of appearance, without what needs no explanation, such as a bare ACK. An
 * error without a symbol is explained by its label.
 */
export function explanationsOf({ lanes, legend }: Diagram): readonly Explanation[] {
  const labels = new Map(legend.map(({ symbol, label }) => [symbol, label]));
  const explanations = new Map<string, Explanation>();
  let errors = 0;
  for (const { lane, event } of lanes.flatMap((one) =>
    one.events.map((event) => ({ lane: one, event })),
  )) {
    const isPlainError =
      event.kind === 'error' && event.symbol === undefined && errors < MOST_ERRORS;
    const text = isPlainError
      ? event.label
      : event.symbol === undefined
        ? undefined
        : labels.get(event.symbol);
    const label = text === undefined ? undefined : wordsFor(event, text);
    const key = event.symbol ?? `error ${event.label}`;
    if (label === undefined || explanations.has(key)) continue;
    if (isPlainError) errors += 1;
    explanations.set(key, { lane, event, label });
  }
  return [...explanations.values()];
}

const MOST_ERRORS = 8;

/** What a lane is: "stream 7", "handle 1". */
export function kindInWords({ kind, handle }: Lane): string {
  return handle === undefined ? kind : `${kind} ${handle}`;
}

/** The name of a lane, without the name of the lane that it is under. */
export function shownName({ name, under }: Lane): string {
  const front = `${under ?? ''}${LANE_SEPARATOR}`;
  return under !== undefined && name.startsWith(front) ? name.slice(front.length) : name;
}

/** How many lanes a lane is under. */
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
  // Tracks of one label are together, in the order of the lane.
  const order = [...new Set(all.map(({ label }) => label))];
  return tracks.sort((a, b) => order.indexOf(a.label) - order.indexOf(b.label));
}

function isOneOfMany(type: string, legend: readonly LegendEntry[]): boolean {
  return legend.filter(({ label }) => label === type || label.startsWith(`${type} `)).length > 1;
}

/** A label without what is on the marble: the type of a packet, the handle of a frame. */
function wordsFor(event: LaneEvent, label: string): string | undefined {
  if (event.kind === 'close') return undefined;
  if (event.kind === 'packet' && label === event.type) return undefined;
  const front =
    event.kind === 'packet' ? `${event.type} ` : event.kind === 'frame' ? `${event.handle}: ` : '';
  return printable(label.startsWith(front) ? label.slice(front.length) : label);
}
