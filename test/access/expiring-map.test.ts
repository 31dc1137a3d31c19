import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ExpiringMap } from '../../src/access/expiring-map.js';

describe('ExpiringMap', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('keeps an entry for its time, counted from when it was last set', () => {
    const map = new ExpiringMap<number>(100, 10);
    expect(map.get('a')).toBeUndefined();
    map.set('a', 1);
    expect(map.get('a')).toBe(1);
    vi.advanceTimersByTime(99);
    expect(map.get('a')).toBe(1);
    map.set('a', 2);
    vi.advanceTimersByTime(99);
    expect(map.get('a')).toBe(2);
    vi.advanceTimersByTime(1);
    expect(map.get('a')).toBeUndefined();
  });

  test('does not trust an entry of the future, after the clock was set back', () => {
    const map = new ExpiringMap<number>(100, 10);
    map.set('a', 1);
    vi.setSystemTime(Date.now() - 1);
    expect(map.get('a')).toBeUndefined();
  });

  test('drops the entry that was set first when there are too many', () => {
    const map = new ExpiringMap<number>(100, 2);
    map.set('a', 1);
    map.set('b', 2);
    map.set('a', 3);
    expect([map.get('a'), map.get('b')]).toEqual([3, 2]);
    map.set('c', 4);
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([3, undefined, 4]);
  });
});
