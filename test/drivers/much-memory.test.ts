import { describe, expect, it, vi } from 'vitest';
import { prepareForMuch } from '../../src/drivers/much-memory.js';

const heapMib = (): number => process.memoryUsage().heapUsed / 2 ** 20;

describe('prepareForMuch', () => {
  it('takes a program out of the reach of repeated collections by 8 MiB of objects, once', async () => {
    const before = heapMib();
    prepareForMuch();
    await vi.waitFor(() => {
      expect(heapMib() - before).toBeGreaterThan(6);
    });
    const prepared = heapMib();
    prepareForMuch();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(heapMib() - prepared).toBeLessThan(4);
  });
});
