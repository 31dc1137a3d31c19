import { getHeapSpaceStatistics } from 'node:v8';
import { expect, it, vi } from 'vitest';
import { prepareForMuch } from '../../src/drivers/much-memory.js';

/** In MiB: where V8 keeps arrays of this size, so that nothing small that comes and goes counts. */
function largeObjects(): number {
  const spaces = getHeapSpaceStatistics().filter(({ space_name: name }) => name === 'large_object_space' || name === 'new_large_object_space');
  return spaces.reduce((sum, { space_used_size: used }) => sum + used, 0) / 2 ** 20;
}

it('takes a program out of the reach of repeated collections by an array of 8 MiB, once', async () => {
  const before = largeObjects();
  prepareForMuch();
  await vi.waitFor(() => {
    expect(largeObjects() - before).toBeGreaterThan(7);
  });
  prepareForMuch();
  await vi.dynamicImportSettled();
  expect(largeObjects() - before).toBeLessThan(15);
});
