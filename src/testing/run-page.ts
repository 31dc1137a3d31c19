import { Subscription, type Observable, type Observer } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { Period, SpanKind } from '../diagram/model.js';
import type { Mark, Page, PageScope } from '../diagram/page/page.js';
import { pageLength, subscriptionsOf } from '../diagram/page/page-diagram.js';
import { watchTimers } from './compliance/watch-timers.js';

/** An event of an expected lane. */
export interface Seen {
  /** Milliseconds. */
  readonly at: number;
  /** What happened. */
  readonly kind: 'value' | 'error' | 'complete';
  /** The value, or the error. */
  readonly value: unknown;
}

/** The result of a page. */
export interface PageRun {
  /** By expected lane. */
  readonly lanes: ReadonlyMap<string, readonly Seen[]>;
  /** By given lane. */
  readonly subscriptions: ReadonlyMap<string, readonly Period[]>;
  /** By kind; only those that the page measures. */
  readonly spans: ReadonlyMap<SpanKind, readonly Period[]>;
  /** What the page lists for its report, by name. */
  readonly listed: ReadonlyMap<string, readonly Seen[]>;
  /** How many timers were set after everything was unsubscribed. */
  readonly timersLeft: number;
}

/**
 * Runs a page in virtual time, and unsubscribes everything at the end of its picture, or `longer`
 * milliseconds later (default 0). Throws what its `wire` throws.
 *
 * Expected lanes are subscribed in the order in which the page declares them.
 */
export function runPage(page: Page, longer = 0): PageRun {
  return watchTimers((pending) => run(page, pageLength(page) + longer, pending));
}

function run(page: Page, length: number, pendingTimers: () => number): PageRun {
  const lanes = new Map<string, readonly Seen[]>();
  const subscriptions = new Map<string, readonly Period[]>();
  const spans = new Map<SpanKind, readonly Period[]>();
  const listed = new Map<string, readonly Seen[]>();
  let timersLeft = 0;
  const scheduler = new TestScheduler(() => undefined);
  scheduler.run((helpers) => {
    const ends = new Subscription();
    const records = new Subscription();
    // Scheduled first: other events of that time are after the end.
    scheduler.schedule(() => {
      records.unsubscribe();
      ends.unsubscribe();
      timersLeft = pendingTimers();
    }, length);
    const given = Object.entries(page.given).map(([name, { hot = false }]) => {
      const [marbles, marks] = [eventsLine(page, name), valuesOf(page)];
      return [
        name,
        (hot ? helpers.hot : helpers.cold)<unknown>(marbles, marks, page.legend['#']?.value),
      ] as const;
    });
    const scope: PageScope = {
      ends,
      measure: (kind, state) => {
        const periods: Period[] = [];
        spans.set(kind, periods);
        records.add(state.subscribe(recordPeriods(scheduler, periods)));
      },
      list: (name, source) => {
        const seen: Seen[] = [];
        listed.set(name, seen);
        records.add(source.subscribe(note(scheduler, seen)));
      },
    };
    const made = page.wire(
      Object.fromEntries(given) as unknown as Parameters<Page['wire']>[0],
      scope,
    );
    for (const name of Object.keys(page.expected))
      lanes.set(name, record(scheduler, records, made[name], readersOf(page, name)));
    scheduler.maxFrames = length;
    ends.add(() => {
      for (const [name, source] of given)
        subscriptions.set(name, source.subscriptions.map(toPeriod(length)));
    });
  });
  return { lanes, subscriptions, spans, listed, timersLeft };
}

function record(
  scheduler: TestScheduler,
  records: Subscription,
  lane: Observable<unknown> | undefined,
  periods: readonly Period[],
): readonly Seen[] {
  const seen: Seen[] = [];
  for (const { from, to } of periods) {
    const subscription = new Subscription();
    records.add(subscription);
    scheduler.schedule(() => {
      subscription.add(lane?.subscribe(note(scheduler, seen)));
    }, from);
    if (to !== undefined) scheduler.schedule(() => subscription.unsubscribe(), to);
  }
  return seen;
}

function note(scheduler: TestScheduler, seen: Seen[]): Observer<unknown> {
  const add = (kind: Seen['kind'], value?: unknown): void =>
    void seen.push({ at: scheduler.now(), kind, value });
  return {
    next: (value) => add('value', value),
    error: (error: unknown) => add('error', error),
    complete: () => add('complete'),
  };
}

/** When a lane is subscribed: as drawn, or always. */
function readersOf(page: Page, name: string): readonly Period[] {
  const isDrawn = page.lines.some(({ lane, shows }) => lane === name && shows === 'subscription');
  return isDrawn ? subscriptionsOf(page, name) : [{ from: 0, to: undefined }];
}

function recordPeriods(scheduler: TestScheduler, periods: Period[]): (on: boolean) => void {
  return (on) => {
    const last = periods.at(-1);
    const isOn = last !== undefined && last.to === undefined;
    if (on && !isOn) periods.push({ from: scheduler.now(), to: undefined });
    if (!on && isOn) periods.splice(-1, 1, { from: last.from, to: scheduler.now() });
  };
}

function toPeriod(
  length: number,
): (log: { readonly subscribedFrame: number; readonly unsubscribedFrame: number }) => Period {
  return ({ subscribedFrame, unsubscribedFrame }) => ({
    from: subscribedFrame,
    to: unsubscribedFrame < length ? unsubscribedFrame : undefined,
  });
}

function eventsLine({ lines }: Page, name: string): string {
  const marbles =
    lines.find(({ lane, shows }) => lane === name && shows === 'events')?.marbles ?? '';
  // RxJS needs a blank after a time.
  return `${marbles} `;
}

function valuesOf({ legend }: Page): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries<Mark>(legend).map(([symbol, { value }]) => [symbol, value]),
  );
}
