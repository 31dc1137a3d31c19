import { describe, expect, it } from 'vitest';
import { prepareForMuch } from '../../src/drivers/much-memory.js';

/** In MiB. */
function grownBy(work: () => void): number {
  const before = process.memoryUsage().heapUsed;
  work();
  return (process.memoryUsage().heapUsed - before) / 2 ** 20;
}

describe('prepareForMuch', () => {
  it('takes a program out of the reach of repeated collections by 8 MiB of objects, once', () => {
    expect(grownBy(prepareForMuch)).toBeGreaterThan(6);
    expect(grownBy(prepareForMuch)).toBeLessThan(2);
  });
});
