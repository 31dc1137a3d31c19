import type { Change, Diagram, LaneEvent, LaneStart, Span } from '../../diagram/model.js';
import type { TapChange } from '../../tap/tap-change.js';
import { conversationDiagram, type TimeRange } from './conversation-diagram.js';
import {
  closedFacts,
  compact,
  connectionFacts,
  eventFacts,
  laneFacts,
  serviceOf,
  spanFacts,
} from './facts.js';
import type { ConnectionState, LaneFacts, PageMessage, Totals } from './page-messages.js';
import type { Closed, KnownLane, Opened, Step } from './steps.js';

/** A step, whose message is made on demand. */
export interface Numbered {
  readonly number: number;
  readonly message: () => PageMessage;
}

type WithoutNumber<T> = T extends unknown ? Omit<T, 'number'> : never;

/** The most services that are named of one connection. */
const MOST_SERVICES = 8;

/** A connection of a tap: its state, and the most recent of its steps. */
export class ConversationHistory {
  readonly #opened: Opened;
  readonly #mostLanes: number;
  readonly #lanes = new Map<string, KnownLane>();
  readonly #services = new Set<string>();
  readonly #bytes = { in: 0, out: 0 };
  readonly #steps: Step[] = [];
  #closed: Closed | undefined;
  #last = 0;
  #lost = 0;
  #events = 0;
  #dropped = 0;

  constructor(opened: Opened, mostLanes: number) {
    this.#opened = opened;
    this.#mostLanes = mostLanes;
  }

  get id(): number {
    return this.#opened.connection;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** The number of kept steps. */
  get length(): number {
    return this.#steps.length;
  }

  /** The number of the last step. */
  get last(): number {
    return this.#last;
  }

  /** The number of the last dropped step; 0 when there is none. */
  get lost(): number {
    return this.#lost;
  }

  take(change: TapChange, number: number): void {
    this.#last = number;
    if (change.kind === 'change') this.#change(change.change);
    else if (change.kind === 'opened') this.#keep({ kind: 'opened' });
    else {
      this.#closed = change;
      this.#keep({ kind: 'closed', closed: change });
    }
  }

  /** Drops the oldest steps. */
  drop(count: number): void {
    const dropped = this.#steps.splice(0, count);
    this.#lost = dropped.at(-1)?.number ?? this.#lost;
    this.#dropped += dropped.filter(({ kind }) => kind === 'event').length;
  }

  /** The first steps after a number, `most` at most. */
  since(number: number, most: number): readonly Numbered[] {
    const first = firstAfter(this.#steps, number);
    return this.#steps
      .slice(first, first + most)
      .map((step) => ({ number: step.number, message: () => this.#message(step) }));
  }

  state(): ConnectionState {
    const lanes = [...this.#lanes.values()];
    return {
      ...connectionFacts(this.#opened),
      ...(this.#closed === undefined ? {} : { closed: closedFacts(this.#closed) }),
      lanes: lanes.map((lane) => this.#laneFacts(lane)),
      open: lanes.flatMap(({ index, spans }) =>
        [...spans.values()].map((span) => ({ lane: index, span: spanFacts(span) })),
      ),
      totals: this.totals(),
    };
  }

  totals(): Totals {
    return {
      id: this.id,
      ...this.#bytes,
      events: this.#events,
      dropped: this.#dropped,
      services: [...this.#services],
    };
  }

  diagram(range: TimeRange): Diagram {
    const { target } = this.#opened;
    const services = [...this.#services].join(', ');
    const title = `Connection ${this.id}${services === '' ? '' : `: ${services}`}`;
    const { peer } = connectionFacts(this.#opened);
    const time = new Date(this.#opened.at).toISOString();
    const sentence = `From ${peer} to ${target}, ${time}. ${this.#closed?.reason ?? ''}`;
    return conversationDiagram(
      { title, sentence: sentence.trimEnd() },
      [...this.#lanes.values()],
      this.#steps,
      range,
    );
  }

  #change(change: Change): void {
    if (change.kind === 'lane') {
      this.#addLane(change.lane);
      return;
    }
    const lane = this.#lanes.get(change.lane);
    if (change.kind === 'event') this.#count(lane, change.event);
    if (lane === undefined) return;
    if (change.kind === 'event') this.#keep({ kind: 'event', lane, event: compact(change.event) });
    else if (change.kind === 'span') this.#span(lane, change.span);
    else {
      const begun = lane.spans.get(change.span);
      if (begun !== undefined) this.#span(lane, { ...begun, to: change.at });
    }
  }

  #span(lane: KnownLane, span: Span): void {
    if (span.to === undefined) lane.spans.set(span.kind, span);
    else lane.spans.delete(span.kind);
    this.#keep({ kind: 'span', lane, span });
  }

  #addLane(start: LaneStart): void {
    if (this.#lanes.has(start.name) || this.#lanes.size >= this.#mostLanes) return;
    const lane: KnownLane = { index: this.#lanes.size, start, spans: new Map() };
    this.#lanes.set(start.name, lane);
    this.#keep({ kind: 'lane', lane });
  }

  #count(lane: KnownLane | undefined, event: LaneEvent): void {
    this.#events += event.count ?? 1;
    if (lane === undefined) this.#dropped += 1;
    const direction = event.direction ?? lane?.start.direction;
    if (direction !== undefined && 'bytes' in event) this.#bytes[direction] += event.bytes;
    const service = serviceOf(event);
    if (service !== undefined && this.#services.size < MOST_SERVICES) this.#services.add(service);
  }

  #keep(step: WithoutNumber<Step>): void {
    this.#steps.push({ ...step, number: this.#last });
  }

  #message(step: Step): PageMessage {
    const connection = this.id;
    switch (step.kind) {
      case 'opened':
        return { kind: 'opened', connection: connectionFacts(this.#opened) };
      case 'closed':
        return { kind: 'closed', connection, closed: closedFacts(step.closed) };
      case 'lane':
        return { kind: 'lane', connection, lane: this.#laneFacts(step.lane) };
      case 'event':
        return { kind: 'event', connection, lane: step.lane.index, event: eventFacts(step.event) };
      case 'span':
        return { kind: 'span', connection, lane: step.lane.index, span: spanFacts(step.span) };
    }
  }

  #laneFacts({ index, start }: KnownLane): LaneFacts {
    return laneFacts(
      index,
      start,
      start.under === undefined ? undefined : this.#lanes.get(start.under),
    );
  }
}

function firstAfter(steps: readonly Step[], number: number): number {
  let low = 0;
  for (let high = steps.length; low < high;) {
    const middle = (low + high) >> 1;
    if ((steps[middle]?.number ?? 0) > number) high = middle;
    else low = middle + 1;
  }
  return low;
}
