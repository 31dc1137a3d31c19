import { beforeEach, afterEach, describe, expect, test, vi } from 'vitest';
import { AddressPenalties } from '../../src/drivers/address-penalties.js';
import { admissionLimits } from '../../src/drivers/admission-limits.js';

const { freeRefusals, countedRefusals, delayStep, maxDelay, networks } = admissionLimits;

let penalties: AddressPenalties;
function refuse(address: string, times: number): number {
  for (let count = 0; count < times; count += 1) penalties.refused(address);
  return penalties.delayOf(address);
}

beforeEach(() => {
  vi.useFakeTimers();
  penalties = new AddressPenalties();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a network that is refused', () => {
  test('waits longer from some count on, and never over half a second', () => {
    expect(penalties.delayOf('10.0.0.1')).toBe(0);
    expect(refuse('10.0.0.1', freeRefusals)).toBe(0);
    expect(refuse('10.0.0.1', 1)).toBe(delayStep);
    expect(refuse('10.0.0.1', 3)).toBe(4 * delayStep);
    expect(refuse('10.0.0.1', 100_000)).toBe(maxDelay);
    expect(maxDelay).toBeLessThanOrEqual(500);
  });

  test('makes no other network wait', () => {
    refuse('10.0.0.1', 1_000);
    expect(penalties.delayOf('10.0.0.2')).toBe(0);
  });

  test('is one with all of the addresses that an IPv6 machine has', () => {
    refuse('2001:db8:1:2::1', 1_000);
    expect(penalties.delayOf('2001:db8:1:2:3::9')).toBe(maxDelay);
    expect(penalties.delayOf('2001:db8:1:3::1')).toBe(0);
  });

  test('is forgiven within a minute, however often it was refused', () => {
    refuse('10.0.0.1', 1_000_000);
    vi.advanceTimersByTime((countedRefusals - freeRefusals) * 1_000);
    expect(penalties.delayOf('10.0.0.1')).toBe(0);
    expect(countedRefusals - freeRefusals).toBeLessThanOrEqual(60);
  });

  test('is counted among so many at most; those refused longest ago are forgotten', () => {
    refuse('10.0.0.1', 1_000);
    refuse('10.0.0.2', 1_000);
    for (let count = 0; count < networks - 2; count += 1)
      penalties.refused(`11.${count >> 16}.${(count >> 8) & 255}.${count & 255}`);
    refuse('10.0.0.1', 1);
    penalties.refused('12.0.0.1');
    expect(penalties.delayOf('10.0.0.1')).toBe(maxDelay);
    expect(penalties.delayOf('10.0.0.2')).toBe(0);
  });
});
