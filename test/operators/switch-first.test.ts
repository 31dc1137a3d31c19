import { NEVER, Observable, throwError } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { switchFirst } from '../../src/operators/switch-first.js';

function marbles(run: (helpers: Parameters<Parameters<TestScheduler['run']>[0]>[0]) => void): void {
  new TestScheduler((actual, expected) => {
    expect(actual).toEqual(expected);
  }).run(run);
}

describe('switchFirst', () => {
  it('emits a result that is at hand at once, and ends', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('--a-b|');
      expectObservable(source.pipe(switchFirst((value) => value.toUpperCase()))).toBe('--(A|)');
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
  });

  it('goes on with the Observable that comes of the value, to its end', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('--a-b--').pipe(switchFirst(() => cold('-x--y|')))).toBe('---x--y|');
      expectObservable(cold('--a|').pipe(switchFirst(() => cold('--x#')))).toBe('----x#');
    });
  });

  it('takes one value: later ones of the source are dropped', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('a-#').pipe(switchFirst(() => cold('----x|')))).toBe('----x|');
    });
  });

  it('ends as a source without a value ends', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('--|').pipe(switchFirst(() => 1))).toBe('--|');
      expectObservable(cold('--#').pipe(switchFirst(() => 1))).toBe('--#');
    });
  });

  it('errors with what the project throws', () => {
    marbles(({ cold, expectObservable }) => {
      const failing = switchFirst<string, string>(() => {
        throw new Error('no');
      });
      expectObservable(cold('-a').pipe(failing)).toBe('-#', undefined, new Error('no'));
    });
  });

  it('unsubscribes what it was led to and the source', () => {
    marbles(({ cold, expectSubscriptions, expectObservable }) => {
      const source = cold('-a------');
      const later = cold('--------');
      expectObservable(source.pipe(switchFirst(() => later)), '----!').toBe('-----');
      expectSubscriptions(source.subscriptions).toBe('^---!');
      expectSubscriptions(later.subscriptions).toBe('-^--!');
    });
  });

  it('leads an error on when it is what the value led to, and nothing more', () => {
    const seen: unknown[] = [];
    new Observable<number>((out) => {
      out.next(1);
    })
      .pipe(switchFirst(() => throwError(() => new Error('broken'))))
      .subscribe({ error: (error: unknown) => seen.push(error) });
    expect(seen).toEqual([new Error('broken')]);
    expect(() =>
      NEVER.pipe(switchFirst(() => 1))
        .subscribe()
        .unsubscribe(),
    ).not.toThrow();
  });
});
