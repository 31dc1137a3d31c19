import type { Period, SpanKind } from '../diagram/model.js';
import {
  duration,
  readMarbles,
  readPeriods,
  writeMarbles,
  type MarbleRow,
  type Tick,
} from '../diagram/page/notation.js';
import type { Page } from '../diagram/page/page.js';
import { pageLength } from '../diagram/page/page-diagram.js';
import { runPage, type PageRun, type Seen } from './run-page.js';
import { same, show } from './same.js';

/** How long a failed page goes on after its picture, to find what comes too late: milliseconds. */
const LATER = 600_000;
/** How many lines a report has at most for one list. */
const LISTED = 20;

/**
 * Runs a page and compares it with its picture. Returns an empty text if they agree; otherwise all
 * lanes as marbles, with the actual ones below those that differ. Lists follow: what comes within
 * ten minutes after the picture, given lanes without a subscription, and what `scope.list` names.
 */
export function checkPage(page: Page): string {
  const run = runPage(page);
  const unknown: string[] = [];
  const pairs = [
    ...laneComparisons(page, run, unknown),
    ...subscriptionComparisons(page, run),
    ...spanComparisons(page, run),
  ];
  const faults = [...strayWaits(page), ...timerFaults(run)];
  const wrong = pairs.filter(({ expected, actual }) => !sameTicks(expected, actual));
  if (wrong.length === 0 && faults.length === 0) return '';
  const rows = pairs.flatMap((pair): MarbleRow[] =>
    wrong.includes(pair)
      ? [
          { label: `${pair.label}, expected`, ticks: pair.expected },
          { label: `${pair.label}, actual`, ticks: pair.actual },
        ]
      : [{ label: pair.label, ticks: pair.expected }],
  );
  const given = Object.keys(page.given).map((name): MarbleRow => ({
    label: `${name}, given`,
    ticks: ticksOf(page, name),
  }));
  return [
    `"${page.title}" does not happen as drawn:`,
    '',
    ...writeMarbles([...given, ...rows], pageLength(page)),
    '',
    ...legendLines(page),
    ...unknown,
    ...faults,
    ...unsubscribed(page, run),
    ...laterLines(page),
    ...listedLines(run),
  ].join('\n');
}

interface Comparison {
  readonly label: string;
  readonly expected: readonly Tick[];
  readonly actual: readonly Tick[];
}

function laneComparisons(page: Page, run: PageRun, unknown: string[]): readonly Comparison[] {
  return [...run.lanes].map(([name, seen]) => {
    const expected = ticksOf(page, name);
    return {
      label: name,
      expected,
      actual: seen.map((event, index) =>
        toTick(page, name, event, expected[index]?.symbol, unknown),
      ),
    };
  });
}

/** The symbol of an event; `?` for one that is not in the legend, which is explained below. */
function toTick(
  page: Page,
  lane: string,
  { at, kind, value }: Seen,
  expected: string | undefined,
  unknown: string[],
): Tick {
  if (kind === 'complete') return { at, symbol: '|' };
  const isIt = (symbol: string): boolean => {
    const mark = page.legend[symbol];
    return mark !== undefined && same(mark.value, value) && (kind === 'error') === (symbol === '#');
  };
  const symbol =
    expected !== undefined && isIt(expected) ? expected : Object.keys(page.legend).find(isIt);
  if (symbol !== undefined) return { at, symbol };
  unknown.push(`? on ${lane} at ${inWords({ at, kind, value })}`);
  return { at, symbol: '?' };
}

function subscriptionComparisons(page: Page, run: PageRun): readonly Comparison[] {
  return [...run.subscriptions].flatMap(([name, actual]) => {
    const drawn = page.lines.filter(({ lane, shows }) => lane === name && shows === 'subscription');
    if (drawn.length === 0) return [];
    return compare(
      `${name} ^`,
      drawn.flatMap(({ marbles }) => readPeriods(marbles)),
      actual,
    );
  });
}

function spanComparisons(page: Page, run: PageRun): readonly Comparison[] {
  const measured: readonly SpanKind[] = [
    ...new Set([
      ...run.spans.keys(),
      ...page.lines.flatMap(({ shows }) =>
        shows === 'paused' || shows === 'stalled' ? [shows] : [],
      ),
    ]),
  ];
  return measured.flatMap((kind) => {
    const drawn = page.lines
      .filter(({ shows }) => shows === kind)
      .flatMap(({ marbles }) => readPeriods(marbles));
    return compare(kind, drawn, run.spans.get(kind) ?? []);
  });
}

function compare(
  label: string,
  expected: readonly Period[],
  actual: readonly Period[],
): readonly Comparison[] {
  return Array.from({ length: Math.max(expected.length, actual.length) }, (_, index) => ({
    label: index === 0 ? label : `${label} ${index + 1}`,
    expected: periodTicks(expected[index]),
    actual: periodTicks(actual[index]),
  }));
}

function periodTicks(period: Period | undefined): readonly Tick[] {
  if (period === undefined) return [];
  return [
    { at: period.from, symbol: '^' },
    ...(period.to === undefined ? [] : [{ at: period.to, symbol: '!' }]),
  ];
}

/** Waits are not measured; but each must begin and end at the time of an event. */
function strayWaits(page: Page): readonly string[] {
  const times = new Set(
    page.lines
      .filter(({ shows }) => shows === 'events')
      .flatMap(({ marbles }) => readMarbles(marbles).map(({ at }) => at)),
  );
  return page.lines
    .filter(({ shows }) => shows === 'waiting')
    .flatMap(({ lane, label, marbles }) => {
      const ends = readPeriods(marbles).flatMap(({ from, to = from }) => [from, to]);
      return ends
        .filter((at) => !times.has(at))
        .map((at) => `"${lane} ${label}" begins or ends at ${duration(at)}, when nothing happens`);
    });
}

function timerFaults({ timersLeft }: PageRun): readonly string[] {
  return timersLeft === 0
    ? []
    : [`${timersLeft} timers are still set after everything was unsubscribed`];
}

function unsubscribed(page: Page, { subscriptions }: PageRun): readonly string[] {
  return Object.keys(page.given)
    .filter((name) => subscriptions.get(name)?.length === 0)
    .map((name) => `${name} is never subscribed`);
}

/** What the expected lanes emit after the end of the picture. */
function laterLines(page: Page): readonly string[] {
  const end = pageLength(page);
  const { lanes } = runPage(page, LATER);
  const later = [...lanes].flatMap(([name, seen]) =>
    seen.filter(({ at }) => at >= end).map((event) => `${name} at ${inWords(event)}`),
  );
  return listOf('after the end of the picture', later);
}

function listedLines({ listed }: PageRun): readonly string[] {
  return [...listed].flatMap(([name, seen]) => listOf(name, seen.map(inWords)));
}

function listOf(heading: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  const more = lines.length - LISTED;
  return [
    '',
    `${heading}:`,
    ...lines.slice(0, LISTED).map((line) => `  ${line}`),
    ...(more > 0 ? [`  … and ${more} more`] : []),
  ];
}

function inWords({ at, kind, value }: Seen): string {
  return kind === 'complete'
    ? `${duration(at)}: complete`
    : `${duration(at)}: ${kind} ${show(value)}`;
}

function ticksOf({ lines }: Page, name: string): readonly Tick[] {
  return readMarbles(
    lines.find(({ lane, shows }) => lane === name && shows === 'events')?.marbles ?? '',
  );
}

function sameTicks(expected: readonly Tick[], actual: readonly Tick[]): boolean {
  return (
    expected.length === actual.length &&
    expected.every(
      ({ at, symbol }, index) => actual[index]?.at === at && actual[index]?.symbol === symbol,
    )
  );
}

function legendLines({ legend }: Page): readonly string[] {
  return Object.entries(legend).map(([symbol, { label }]) => `${symbol} = ${label}`);
}
