import type { Diagram, Lane, LaneEvent, LegendEntry, Period, Span } from '../model.js';
import { marblesLength, readMarbles, readPeriods } from './notation.js';
import type { Page, PageLane } from './page.js';

/** The diagram of a page. The page's test ensures that it is what happens. */
export function pageDiagram(page: Page): Diagram {
  const lanes = { ...page.given, ...page.expected };
  const names = page.lines.filter(({ shows }) => shows === 'events').map(({ lane }) => lane);
  return {
    title: page.title,
    sentence: page.sentence,
    lanes: names.flatMap((name) => {
      const lane = lanes[name];
      return lane === undefined ? [] : [toLane(page, name, lane)];
    }),
    legend: legendOf(page),
    length: pageLength(page),
  };
}

/** How long a page lasts, in milliseconds. */
export function pageLength(page: Page): number {
  return Math.max(...page.lines.map(({ marbles }) => marblesLength(marbles)));
}

/** The subscriptions that a page draws for a lane. */
export function subscriptionsOf(page: Page, name: string): readonly Period[] {
  return page.lines
    .filter(({ lane, shows }) => lane === name && shows === 'subscription')
    .flatMap(({ marbles }) => readPeriods(marbles));
}

/** The spans that a page draws for a lane. */
export function spansOf(page: Page, name: string): readonly Span[] {
  return page.lines.flatMap(({ lane, shows, label, marbles }) =>
    lane !== name || shows === 'events' || shows === 'subscription'
      ? []
      : readPeriods(marbles).map((period) => ({ kind: shows, label, ...period })),
  );
}

function toLane(
  page: Page,
  name: string,
  { kind, direction, handle, under, hot = false }: PageLane,
): Lane {
  const subscriptions = subscriptionsOf(page, name);
  const events = eventsOf(page, name);
  // A cold lane plays again for each subscriber.
  const plays =
    name in page.given && !hot && subscriptions.length > 0
      ? subscriptions.flatMap((period) => shifted(events, period))
      : events;
  return {
    name,
    kind,
    direction,
    handle,
    under,
    events: plays,
    spans: spansOf(page, name),
    subscriptions,
  };
}

function eventsOf(page: Page, name: string): readonly LaneEvent[] {
  const marbles =
    page.lines.find(({ lane, shows }) => lane === name && shows === 'events')?.marbles ?? '';
  return readMarbles(marbles).map(({ at, symbol }) => {
    const mark = page.legend[symbol];
    if (mark !== undefined) return { ...mark.shows, at, symbol, label: mark.label };
    return { kind: 'complete', at, label: 'complete' };
  });
}

function shifted(
  events: readonly LaneEvent[],
  { from, to = Infinity }: Period,
): readonly LaneEvent[] {
  return events.map((event) => ({ ...event, at: event.at + from })).filter(({ at }) => at <= to);
}

function legendOf({ legend, lines }: Page): readonly LegendEntry[] {
  const used = new Set(
    lines
      .filter(({ shows }) => shows === 'events')
      .flatMap(({ marbles }) => readMarbles(marbles).map(({ symbol }) => symbol)),
  );
  return Object.entries(legend).flatMap(([symbol, { label }]) =>
    used.has(symbol) ? [{ symbol, label }] : [],
  );
}
