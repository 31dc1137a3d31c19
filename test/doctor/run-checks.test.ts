import { Observable, Subject, firstValueFrom, map, of, throwError, timer, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  concern,
  fault,
  fine,
  type Check,
  type CheckOutcome,
  type CheckUnit,
} from '../../src/doctor/check.js';
import { firstToFix } from '../../src/doctor/first-to-fix.js';
import { runChecks } from '../../src/doctor/run-checks.js';

const bad = fault('tcp-refused', { message: 'bad', fix: 'mend it' });

function unit(id: string, needs: readonly string[], run: CheckUnit['run']): CheckUnit {
  return { id, group: 'names', needs, run };
}

function all(units: readonly CheckUnit[]): Promise<readonly Check[]> {
  return firstValueFrom(runChecks(units).pipe(toArray()));
}

describe('runChecks', () => {
  it('runs independent checks side by side and emits them as they finish', async () => {
    const late = new Subject<void>();
    const emitted: string[] = [];
    runChecks([
      unit('late', [], () => late.pipe(map(() => fine('late')))),
      unit('early', [], () => of(fine('early'))),
      unit('after late', ['late'], () => of(fine('after'))),
    ]).subscribe(({ id }) => emitted.push(id));
    expect(emitted).toEqual(['early']);
    late.next();
    late.complete();
    expect(emitted).toEqual(['early', 'late', 'after late']);
  });

  it('skips what depends on a failure, names the cause, and goes on with the others', async () => {
    let ran = 0;
    const count = (): ReturnType<CheckUnit['run']> => {
      ran += 1;
      return of(fine('ran'));
    };
    const found = await all([
      unit('a', [], () => of(bad)),
      unit('b', ['a'], count),
      unit('c', ['b'], count),
      unit('d', [], count),
    ]);
    expect(ran).toBe(1);
    expect(found.map(({ id, status, skippedBy }) => [id, status, skippedBy])).toEqual([
      ['a', 'failed', undefined],
      ['b', 'skipped', 'a'],
      ['c', 'skipped', 'a'],
      ['d', 'ok', undefined],
    ]);
    expect(found[2]?.message).toBe('skipped, because a failed');
  });

  it('skips nothing for a warning', async () => {
    const warning = concern('slow-answer', { message: 'slow', fix: 'wait' });
    const found = await all([
      unit('a', [], () => of(warning)),
      unit('b', ['a'], () => of(fine('ran'))),
    ]);
    expect(found.map(({ status }) => status)).toEqual(['warning', 'ok']);
  });

  it('runs a check once, however many depend on it', async () => {
    let runs = 0;
    await all([
      unit('a', [], () => {
        runs += 1;
        return timer(1).pipe(map(() => fine('a')));
      }),
      unit('b', ['a'], () => of(fine('b'))),
      unit('c', ['a'], () => of(fine('c'))),
    ]);
    expect(runs).toBe(1);
  });

  it.each([
    ['errors', () => throwError(() => new Error('boom \u001b[31m'))],
    ['ends without a result', () => of()],
    [
      'throws',
      () => {
        throw new Error('boom');
      },
    ],
  ])('makes a failure of a check that %s', async (_, run) => {
    const [found] = await all([unit('a', [], run as CheckUnit['run'])]);
    expect(found).toMatchObject({ status: 'failed', doc: 'docs/doctor.md#check-broken' });
    expect(found?.message).not.toContain('\u001b');
  });

  it('escapes and bounds what a peer has said', async () => {
    const [found] = await all([
      unit('a', [], () =>
        of({ ...bad, message: '\u001b]0;x', evidence: ['y'.repeat(5_000), '\u202e'] }),
      ),
    ]);
    expect(found?.message).toBe('\\x1b]0;x');
    expect(found?.evidence[0]?.length).toBe(601);
    expect(found?.evidence[1]).toBe('\\u202e');
  });

  it('cancels running checks when it is unsubscribed', () => {
    let cancelled = 0;
    const endless = new Observable<CheckOutcome>(() => () => {
      cancelled += 1;
    });
    runChecks([unit('a', [], () => endless), unit('b', ['a'], () => of(fine('b')))])
      .subscribe()
      .unsubscribe();
    expect(cancelled).toBe(1);
  });
});

describe('firstToFix', () => {
  const check = (id: string, status: Check['status']): Check => ({
    id,
    group: 'names',
    status,
    message: id,
    evidence: [],
    ms: 0,
  });

  it('takes failures before warnings, and causes before effects', () => {
    const checks = [
      check('request.noop', 'failed'),
      check('reachability.tcp', 'failed'),
      check('names.own', 'warning'),
      check('names.forward', 'ok'),
    ];
    expect(firstToFix(checks)?.id).toBe('reachability.tcp');
    expect(firstToFix(checks.slice(2))?.id).toBe('names.own');
    expect(firstToFix(checks.slice(3))).toBeUndefined();
  });

  it('puts an unknown check last', () => {
    expect(firstToFix([check('x.y', 'failed'), check('names.own', 'failed')])?.id).toBe(
      'names.own',
    );
  });
});
