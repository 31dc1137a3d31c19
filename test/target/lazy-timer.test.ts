import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { asyncScheduler } from 'rxjs';
import { LazyTimer } from '../../src/target/lazy-timer.js';

/** The virtual milliseconds at which it expires, when these steps are done at these times. */
function expiries(steps: Readonly<Record<number, (timer: LazyTimer) => void>>): readonly number[] {
  const times: number[] = [];
  new TestScheduler(() => undefined).run(({ flush }) => {
    const timer = new LazyTimer(() => times.push(asyncScheduler.now()));
    for (const [time, step] of Object.entries(steps)) {
      asyncScheduler.schedule(() => {
        step(timer);
      }, Number(time));
    }
    flush();
  });
  return times;
}

describe('a lazy timer', () => {
  it('expires once, at its deadline', () => {
    expect(expiries({ 0: (timer) => timer.set(30) })).toEqual([30]);
  });

  it('expires at the time that was set last, whether that is later or earlier', () => {
    expect(expiries({ 0: (timer) => timer.set(30), 10: (timer) => timer.set(30) })).toEqual([40]);
    expect(expiries({ 0: (timer) => timer.set(30), 10: (timer) => timer.set(5) })).toEqual([15]);
    expect(
      expiries({
        0: (timer) => timer.set(30),
        10: (timer) => timer.set(50),
        20: (timer) => timer.set(1),
      }),
    ).toEqual([21]);
  });

  it('does not expire when it was cleared, nor when it was stopped', () => {
    expect(expiries({ 0: (timer) => timer.set(30), 10: (timer) => timer.clear() })).toEqual([]);
    expect(expiries({ 0: (timer) => timer.set(30), 10: (timer) => timer.stop() })).toEqual([]);
  });

  it('expires at a deadline that is set after it was cleared or stopped', () => {
    expect(
      expiries({
        0: (timer) => timer.set(30),
        10: (timer) => timer.clear(),
        20: (timer) => timer.set(30),
      }),
    ).toEqual([50]);
    expect(
      expiries({
        0: (timer) => timer.set(30),
        10: (timer) => timer.stop(),
        20: (timer) => timer.set(30),
      }),
    ).toEqual([50]);
    expect(
      expiries({
        0: (timer) => timer.set(30),
        10: (timer) => timer.clear(),
        40: (timer) => timer.set(30),
      }),
    ).toEqual([70]);
  });

  it('expires again when it is set again', () => {
    expect(expiries({ 0: (timer) => timer.set(30), 50: (timer) => timer.set(30) })).toEqual([
      30, 80,
    ]);
  });
});
