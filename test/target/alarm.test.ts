import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { asyncScheduler } from 'rxjs';
import { Alarm } from '../../src/target/alarm.js';

/** When it rings, in virtual milliseconds, when so much is done to it at such times. */
function rings(steps: Readonly<Record<number, (alarm: Alarm) => void>>): readonly number[] {
  const times: number[] = [];
  new TestScheduler(() => undefined).run(({ flush }) => {
    const alarm = new Alarm(() => times.push(asyncScheduler.now()));
    for (const [time, step] of Object.entries(steps)) {
      asyncScheduler.schedule(() => {
        step(alarm);
      }, Number(time));
    }
    flush();
  });
  return times;
}

describe('an alarm', () => {
  it('rings once when its time has come', () => {
    expect(rings({ 0: (alarm) => alarm.set(30) })).toEqual([30]);
  });

  it('rings at the time that was set last, whether that is later or earlier', () => {
    expect(rings({ 0: (alarm) => alarm.set(30), 10: (alarm) => alarm.set(30) })).toEqual([40]);
    expect(rings({ 0: (alarm) => alarm.set(30), 10: (alarm) => alarm.set(5) })).toEqual([15]);
    expect(
      rings({
        0: (alarm) => alarm.set(30),
        10: (alarm) => alarm.set(50),
        20: (alarm) => alarm.set(1),
      }),
    ).toEqual([21]);
  });

  it('does not ring when it was cleared, nor when it was stopped', () => {
    expect(rings({ 0: (alarm) => alarm.set(30), 10: (alarm) => alarm.clear() })).toEqual([]);
    expect(rings({ 0: (alarm) => alarm.set(30), 10: (alarm) => alarm.stop() })).toEqual([]);
  });

  it('rings at the time that is set after it was cleared, stopped, or has come for nothing', () => {
    expect(
      rings({
        0: (alarm) => alarm.set(30),
        10: (alarm) => alarm.clear(),
        20: (alarm) => alarm.set(30),
      }),
    ).toEqual([50]);
    expect(
      rings({
        0: (alarm) => alarm.set(30),
        10: (alarm) => alarm.stop(),
        20: (alarm) => alarm.set(30),
      }),
    ).toEqual([50]);
    expect(
      rings({
        0: (alarm) => alarm.set(30),
        10: (alarm) => alarm.clear(),
        40: (alarm) => alarm.set(30),
      }),
    ).toEqual([70]);
  });

  it('rings again when it is set again', () => {
    expect(rings({ 0: (alarm) => alarm.set(30), 50: (alarm) => alarm.set(30) })).toEqual([30, 80]);
  });
});
