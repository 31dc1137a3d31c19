import { setImmediate } from 'node:timers/promises';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, expect, it, vi } from 'vitest';
import { prepareForMuch } from '../../src/transport/much-memory.js';

/** In MiB: where V8 keeps arrays of this size, so that nothing small that comes and goes counts. */
function largeObjects(): number {
  const spaces = getHeapSpaceStatistics().filter(
    ({ space_name: name }) => name === 'large_object_space' || name === 'new_large_object_space',
  );
  return spaces.reduce((sum, { space_used_size: used }) => sum + used, 0) / 2 ** 20;
}

setFlagsFromString('--expose-gc');
const fullCollection = runInNewContext('gc') as () => void;

/** For as long as the test runs: what is told of collections here, and nowhere else. */
const registries: FinalizationRegistry<undefined>[] = [];

/** So many full collections, each when the one before has been told of; what large objects there are after each. */
async function collect(times: number): Promise<readonly number[]> {
  const sizes: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const told = new Promise<void>((resolve) => {
      const registry = new FinalizationRegistry<undefined>(() => {
        resolve();
      });
      registry.register({}, undefined);
      registries.push(registry);
    });
    fullCollection();
    await told;
    // Others are told in the same turn.
    await setImmediate();
    sizes.push(largeObjects());
  }
  return sizes;
}

beforeAll(async () => {
  prepareForMuch();
  await vi.dynamicImportSettled();
});

const countsBuffersApart = Number.parseInt(process.versions.v8, 10) >= 13;

if (!countsBuffersApart) {
  it('ends a series of full collections by an array of 8 MiB, and the next one by another, instead of it', async () => {
    const before = Math.min(...(await collect(2)));
    // Four are a series, if they come within half a second; V8 may begin others of its own between these.
    const sizes = (await collect(24)).map((size) => size - before);
    const [first = NaN] = sizes.filter((size) => size > 7);
    expect(first).toBeLessThan(9);
    // At the end of a series the array of the last one is still there, until the next collection; two series never end one right behind the other.
    const lasting = sizes.slice(1).map((size, at) => Math.min(size, sizes[at] ?? NaN));
    expect(Math.max(...lasting)).toBeLessThan(9);
    expect(Math.max(...sizes)).toBeGreaterThan(15);
  });
} else {
  it('leaves a series of full collections alone where V8 counts buffers apart', async () => {
    const before = Math.min(...(await collect(2)));
    expect(Math.max(...(await collect(9))) - before).toBeLessThan(1);
  });
}
