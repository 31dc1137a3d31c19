import { inRange } from '../wire/ranges.js';
import { areChunks, condenseEvents, condenseSpans, joinChunks, relabelled } from './condense.js';
import { countInWords, timeInWords } from './layout/layout-words.js';
import type { Change, Diagram, LaneEvent, LaneStart, Span } from './model.js';

/** Options of a {@link Recording}. */
export interface RecordingOptions {
  /** Default "Recording". */
  readonly title?: string | undefined;
  /** What it shows; default how much it is. */
  readonly sentence?: string | undefined;
  /** The most events, 100 to 10,000,000; default 10,000. Of more, neighbours are joined. */
  readonly maxEvents?: number | undefined;
  /** The most lanes, 1 to 100,000; default 512. Further ones are only counted. */
  readonly maxLanes?: number | undefined;
}

interface LaneSoFar {
  readonly start: LaneStart;
  readonly from: number;
  events: LaneEvent[];
  spans: Span[];
}

/**
 * Collects the steps of a diagram, in bounded memory.
 *
 * When there are too many events, neighbouring chunks of a lane are joined into one with their
 * number and sum; other events are joined last. Too many spans are joined as well. Errors with
 * `BAD_ARGUMENT` for an option out of range.
 */
export class Recording {
  readonly #options: RecordingOptions;
  readonly #maxEvents: number;
  readonly #maxLanes: number;
  readonly #lanes = new Map<string, LaneSoFar>();
  readonly #order: LaneSoFar[] = [];
  #kept = 0;
  /** Chunks within so many milliseconds are joined as they come; grows with the recording. */
  #joinWithin = 0;
  #keptSpans = 0;
  #connections = 0;
  #happened = 0;
  #lanesLeftOut = 0;
  #last = 0;

  constructor(options: RecordingOptions = {}) {
    this.#options = options;
    this.#maxEvents = inRange('The option maxEvents', options.maxEvents ?? 10_000, 100, 10_000_000);
    this.#maxLanes = inRange('The option maxLanes', options.maxLanes ?? 512, 1, 100_000);
  }

  /** How many events there were, before joining. */
  get happened(): number {
    return this.#happened;
  }

  /** Takes the next step. So a recording is an observer of changes. */
  next(change: Change): void {
    switch (change.kind) {
      case 'lane':
        this.#passed(change.at);
        this.#begin(change.at, change.lane);
        break;
      case 'event':
        this.#passed(change.event.until ?? change.event.at);
        this.#event(change.lane, change.event);
        break;
      case 'span':
        this.#passed(change.span.from);
        this.#span(change.lane, change.span);
        break;
      case 'span-end':
        this.#passed(change.at);
        this.#endSpan(change);
        break;
    }
  }

  /** The diagram so far, with the length `at`; default: up to the last event. */
  diagram(at = this.#last): Diagram {
    return {
      title: this.#options.title ?? 'Recording',
      sentence: this.#options.sentence ?? this.#inWords(at),
      lanes: this.#order.map(({ start, from, events, spans }) => ({
        ...start,
        from,
        events: events.map(relabelled),
        spans: [...spans],
        subscriptions: [],
      })),
      legend: [],
      length: at,
    };
  }

  #begin(from: number, start: LaneStart): void {
    if (this.#lanes.has(start.name)) return;
    if (start.kind === 'connection') this.#connections += 1;
    if (this.#lanes.size >= this.#maxLanes) {
      this.#lanesLeftOut += 1;
      return;
    }
    const lane: LaneSoFar = { start, from, events: [], spans: [] };
    this.#lanes.set(start.name, lane);
    this.#order.splice(this.#placeUnder(start.under), 0, lane);
  }

  /** After the lane that it is under, and after all lanes under that. */
  #placeUnder(under: string | undefined): number {
    if (under === undefined) return this.#order.length;
    const family = new Set([under]);
    let place = this.#order.length;
    this.#order.forEach(({ start }, index) => {
      if (start.name !== under && !(start.under !== undefined && family.has(start.under))) return;
      family.add(start.name);
      place = index + 1;
    });
    return place;
  }

  #event(name: string, event: LaneEvent): void {
    this.#happened += event.count ?? 1;
    const lane = this.#lanes.get(name);
    if (lane === undefined) return;
    const last = lane.events.at(-1);
    if (
      last?.kind === 'chunk' &&
      event.kind === 'chunk' &&
      event.at - last.at < this.#joinWithin &&
      areChunks(last, event)
    ) {
      lane.events[lane.events.length - 1] = joinChunks(last, event);
      return;
    }
    lane.events.push(event);
    this.#kept += 1;
    if (this.#kept > this.#maxEvents) this.#makeRoom();
  }

  #makeRoom(): void {
    const events = condenseEvents(
      this.#order.map((lane) => lane.events),
      Math.floor(this.#maxEvents / 2),
    );
    this.#joinWithin = (2 * this.#last) / this.#maxEvents;
    this.#kept = 0;
    this.#order.forEach((lane, index) => {
      lane.events = [...(events[index] ?? [])];
      this.#kept += lane.events.length;
    });
  }

  #span(name: string, span: Span): void {
    const lane = this.#lanes.get(name);
    if (lane === undefined) return;
    lane.spans.push(span);
    this.#keptSpans += 1;
    if (this.#keptSpans <= this.#maxEvents) return;
    const spans = condenseSpans(
      this.#order.map((one) => one.spans),
      Math.floor(this.#maxEvents / 2),
    );
    this.#keptSpans = 0;
    this.#order.forEach((one, index) => {
      one.spans = [...(spans[index] ?? [])];
      this.#keptSpans += one.spans.length;
    });
  }

  #endSpan({ lane: name, span: kind, at }: Extract<Change, { readonly kind: 'span-end' }>): void {
    const spans = this.#lanes.get(name)?.spans ?? [];
    const index = spans.findLastIndex((span) => span.kind === kind && span.to === undefined);
    const span = spans[index];
    if (span !== undefined) spans[index] = { ...span, to: at };
  }

  #passed(at: number): void {
    if (at > this.#last) this.#last = at;
  }

  #inWords(at: number): string {
    const more =
      this.#lanesLeftOut === 0
        ? ''
        : ` ${countInWords(this.#lanesLeftOut, 'lane')} more than are kept.`;
    return `${countInWords(this.#connections, 'connection')}, ${countInWords(this.#happened, 'event')} in ${timeInWords(at)}.${more}`;
  }
}
