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

/**
 * Plays a page and says how it differs from its picture: all its lanes as marbles, and below each
 * that differs what really happened, aligned. An empty text when nothing differs.
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

/** The symbol of what was seen; something that the legend does not know is `?`, or `#` for an error, and explained below. */
function toTick(
  page: Page,
  lane: string,
  { at, kind, value }: Seen,
  hoped: string | undefined,
  unknown: string[],
): Tick {
  if (kind === 'complete') return { at, symbol: '|' };
  const isIt = (symbol: string): boolean => {
    const mark = page.legend[symbol];
    return mark !== undefined && same(mark.value, value) && (kind === 'error') === (symbol === '#');
  };
  const symbol = hoped !== undefined && isIt(hoped) ? hoped : Object.keys(page.legend).find(isIt);
  if (symbol !== undefined) return { at, symbol };
  unknown.push(`? on ${lane} at ${duration(at)}: ${kind} ${show(value)}`);
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

/** Nothing measures for what a side waits; that a wait begins and ends where something happens is what can be held against the picture. */
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
        .map((at) => `"${lane} ${label}" begins or ends at ${duration(at)}, where nothing happens`);
    });
}

function timerFaults({ timersLeft }: PageRun): readonly string[] {
  return timersLeft === 0
    ? []
    : [`${timersLeft} timers are still set after everything was unsubscribed`];
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
