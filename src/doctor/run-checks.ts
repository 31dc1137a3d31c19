import {
  asyncScheduler,
  catchError,
  defaultIfEmpty,
  defer,
  forkJoin,
  from,
  map,
  merge,
  of,
  shareReplay,
  switchMap,
  takeLast,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { messageOf, printable } from '../wire/text.js';
import { fault, type Check, type CheckOutcome, type CheckUnit } from './check.js';

/** The longest message and line of evidence. */
const MAX_CHARACTERS = 600;
/** The most lines of evidence. */
const MAX_EVIDENCE = 12;

/**
 * Runs checks side by side, and emits each when it finishes.
 *
 *     a         --ok|
 *     b         ----failed|
 *     c(a)        ---ok|
 *     d(b)          skipped, because b failed
 *     out       --a-bdc|
 *
 * A check starts when all its prerequisites are over. It is skipped when one failed or was skipped;
 * a warning skips nothing. Never errors: a check that throws has failed. Prerequisites that are not
 * among the units count as fulfilled.
 */
export function runChecks(
  units: readonly CheckUnit[],
  clock: SchedulerLike = asyncScheduler,
): Observable<Check> {
  return defer(() => {
    const running = new Map<string, Observable<Check>>();
    for (const unit of units) {
      const needs = unit.needs.flatMap((id) => running.get(id) ?? []);
      running.set(
        unit.id,
        runAfter(needs, unit, clock).pipe(shareReplay({ bufferSize: 1, refCount: true })),
      );
    }
    return merge(...running.values());
  });
}

function runAfter(
  needs: readonly Observable<Check>[],
  unit: CheckUnit,
  clock: SchedulerLike,
): Observable<Check> {
  const ready: Observable<readonly Check[]> = needs.length === 0 ? of([]) : forkJoin(needs);
  return ready.pipe(
    switchMap((results) => {
      const blocking = results.find(({ status }) => status === 'failed' || status === 'skipped');
      return blocking === undefined
        ? run(unit, clock)
        : of(skipped(unit, blocking.skippedBy ?? blocking.id));
    }),
  );
}

function run(unit: CheckUnit, clock: SchedulerLike): Observable<Check> {
  return defer(() => {
    const started = clock.now();
    return defer(() => from(unit.run())).pipe(
      takeLast(1),
      defaultIfEmpty(broken('it ended without a result')),
      catchError((error: unknown) => of(broken(messageOf(error)))),
      map((outcome) => toCheck(unit, outcome, clock.now() - started)),
    );
  });
}

function broken(why: string): CheckOutcome {
  return fault('check-broken', {
    message: `The check itself failed: ${why}`,
    fix: 'Report this as an error of rx-amanda, with the line above.',
  });
}

function skipped({ id, group }: CheckUnit, by: string): Check {
  return {
    id,
    group,
    status: 'skipped',
    message: `skipped, because ${by} failed`,
    evidence: [],
    ms: 0,
    skippedBy: by,
  };
}

function toCheck(
  { id, group }: CheckUnit,
  { status, message, evidence = [], fix, kind }: CheckOutcome,
  ms: number,
): Check {
  return {
    id,
    group,
    status,
    message: printable(message, MAX_CHARACTERS),
    evidence: evidence.slice(0, MAX_EVIDENCE).map((line) => printable(line, MAX_CHARACTERS)),
    ...(fix === undefined ? {} : { fix: printable(fix, MAX_CHARACTERS) }),
    ...(kind === undefined ? {} : { doc: `docs/doctor.md#${kind}` }),
    ms: Math.round(ms),
  };
}
