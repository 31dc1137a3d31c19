import type {
  ConnectionFacts,
  ConnectionState,
  ClosedFacts,
  EventFacts,
  LaneFacts,
  PageMessage,
  SpanFacts,
  Totals,
} from '../page-messages.js';
import { RateMeter } from './rate-meter.js';

export interface LaneView {
  readonly facts: LaneFacts;
  /** In order of time. */
  events: EventFacts[];
  spans: SpanFacts[];
}

/** A connection as the page knows it. */
export interface ConnectionView {
  readonly facts: ConnectionFacts;
  closed: ClosedFacts | undefined;
  readonly lanes: LaneView[];
  totals: Totals;
  readonly rate: RateMeter;
  /** The time of its last event or span, in milliseconds since it was opened. */
  last: number;
}

/** The most events that are kept; the longest lane loses its oldest first. */
const MOST_EVENTS = 60_000;
/** The most spans of one lane. */
const MOST_SPANS = 2_000;

/** Everything that the server has sent, in bounded memory. */
export class Store {
  readonly connections = new Map<number, ConnectionView>();
  /** Whether the tap has ended. */
  isOver = false;
  /** Whether this page has missed events because it was too slow. */
  hasMissed = false;
  /** The server's clock minus this one's, in milliseconds. */
  clockOffset: number | undefined;
  #events = 0;

  take(message: PageMessage, localTime: number): void {
    switch (message.kind) {
      case 'state':
        this.#state(message.fresh, message.connections, localTime);
        return;
      case 'opened':
        // The rate counts from zero, so that the first bytes show.
        this.#connection(message.connection).rate.count(localTime, 0, 0);
        return;
      case 'forgotten':
        this.#forget(message.connection);
        return;
      case 'totals':
        this.clockOffset = Math.max(this.clockOffset ?? -Infinity, message.now - localTime);
        for (const totals of message.connections) this.#totals(totals, localTime);
        return;
      case 'over':
        this.isOver = true;
        return;
      default:
        this.#happened(message);
    }
  }

  /** The current time of a connection, in milliseconds since it was opened. */
  present({ facts, closed, last }: ConnectionView, localTime: number): number {
    if (closed !== undefined) return Math.max(last, closed.at - facts.at);
    return this.isOver || this.clockOffset === undefined
      ? last
      : Math.max(last, localTime + this.clockOffset - facts.at);
  }

  #state(fresh: boolean, connections: readonly ConnectionState[], localTime: number): void {
    if (fresh) {
      this.connections.clear();
      this.#events = 0;
      this.isOver = false;
    }
    this.hasMissed = !fresh;
    for (const state of connections) {
      const view = this.#connection(state);
      view.closed = state.closed;
      for (const lane of state.lanes) addLane(view, lane);
      for (const { lane, span } of state.open) addSpan(view, lane, span);
      this.#totals(state.totals, localTime);
    }
  }

  #connection({ id, at, peer, target }: ConnectionFacts): ConnectionView {
    const known = this.connections.get(id);
    if (known !== undefined) return known;
    const totals = { id, in: 0, out: 0, events: 0, dropped: 0, services: [] };
    const view: ConnectionView = {
      facts: { id, at, peer, target },
      closed: undefined,
      lanes: [],
      totals,
      rate: new RateMeter(),
      last: 0,
    };
    this.connections.set(id, view);
    return view;
  }

  #happened(message: PageMessage & { readonly kind: 'closed' | 'lane' | 'event' | 'span' }): void {
    const view = this.connections.get(message.connection);
    if (view === undefined) return;
    if (message.kind === 'closed') view.closed = message.closed;
    else if (message.kind === 'lane') addLane(view, message.lane);
    else if (message.kind === 'span') addSpan(view, message.lane, message.span);
    else this.#event(view, message.lane, message.event);
  }

  #event(view: ConnectionView, lane: number, event: EventFacts): void {
    view.last = Math.max(view.last, event.until ?? event.at);
    const place = view.lanes[lane];
    if (place === undefined) return;
    place.events.push(event);
    this.#events += 1;
    if (this.#events > MOST_EVENTS) this.#drop();
  }

  #drop(): void {
    const lanes = [...this.connections.values()].flatMap((view) => view.lanes);
    const longest = lanes.reduce((a, b) => (b.events.length > a.events.length ? b : a));
    const before = longest.events.length;
    longest.events = longest.events.slice(Math.ceil(before / 8));
    this.#events -= before - longest.events.length;
  }

  #forget(id: number): void {
    for (const { events } of this.connections.get(id)?.lanes ?? []) this.#events -= events.length;
    this.connections.delete(id);
  }

  #totals(totals: Totals, localTime: number): void {
    const view = this.connections.get(totals.id);
    if (view === undefined) return;
    view.totals = totals;
    view.rate.count(localTime, totals.in, totals.out);
  }
}

function addLane({ lanes }: ConnectionView, facts: LaneFacts): void {
  lanes[facts.index] ??= { facts, events: [], spans: [] };
}

function addSpan(view: ConnectionView, lane: number, span: SpanFacts): void {
  view.last = Math.max(view.last, span.to ?? span.from);
  const place = view.lanes[lane];
  if (place === undefined) return;
  const known = place.spans.findLastIndex(
    (one) => one.span === span.span && one.from === span.from,
  );
  if (known >= 0) place.spans[known] = span;
  else place.spans.push(span);
  if (place.spans.length > MOST_SPANS) place.spans = place.spans.slice(MOST_SPANS / 8);
}
