import { NEVER, Observable, finalize, map, of, timer, toArray } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { sweep } from '../../src/initiator/sweep.js';

/** Runs in virtual time. */
function virtually(run: Parameters<TestScheduler['run']>[0]): void {
  new TestScheduler((actual, expected) => {
    expect(actual).toEqual(expected);
  }).run(run);
}

describe('a sweep', () => {
  it('tells the values, the end and the failure of each host, with the time each took', () => {
    virtually(({ cold, expectObservable }) => {
      const error = new Error('no');
      const work = { A: cold('---a-|'), B: cold('b---#', undefined, error) };
      expectObservable(sweep(['A', 'B'] as const, (host) => work[host])).toBe('u--vx(y|)', {
        u: { kind: 'value', host: 'B', value: 'b' },
        v: { kind: 'value', host: 'A', value: 'a' },
        x: { kind: 'failed', host: 'B', error, milliseconds: 4 },
        y: { kind: 'done', host: 'A', milliseconds: 5 },
      });
    });
  });

  it('asks no more hosts at once than it may, and counts the time of each from its own start', () => {
    virtually(({ expectObservable }) => {
      let [now, most] = [0, 0];
      const work = () =>
        new Observable<never>((out) => {
          now += 1;
          most = Math.max(most, now);
          const end = timer(10).subscribe(() => {
            out.complete();
          });
          return () => {
            now -= 1;
            end.unsubscribe();
          };
        });
      const times = sweep([1, 2, 3, 4, 5], work, { atOnce: 2 }).pipe(
        map((event) => (event.kind === 'done' ? event.milliseconds : -1)),
        toArray(),
        map((all) => [most, ...all]),
      );
      expectObservable(times).toBe('30ms (x|)', { x: [2, 10, 10, 10, 10, 10] });
    });
  });

  it('takes what a work throws at once for the failure of its host', () => {
    const told: unknown[] = [];
    const error = new Error('at once');
    sweep([1, 2], (host) => {
      if (host === 1) throw error;
      return of(host);
    }).subscribe((event) => told.push(event));
    expect(told).toMatchObject([
      { kind: 'failed', host: 1, error },
      { kind: 'value', host: 2, value: 2 },
      { kind: 'done', host: 2 },
    ]);
  });

  it('cancels all work when it is left', () => {
    const cancelled: number[] = [];
    sweep([1, 2, 3], (host) => NEVER.pipe(finalize(() => cancelled.push(host))))
      .subscribe()
      .unsubscribe();
    expect(cancelled).toEqual([1, 2, 3]);
  });
});
