/** For as long as the process lasts: what tells of full collections, and the old objects that ended the last series of them. */
const kept: { told?: FinalizationRegistry<undefined>; growth?: readonly number[] } = {};

/** So many full collections within so many milliseconds are a series. */
const SERIES = 4;
const WITHIN = 500;

/** From this version of V8 on (Node 24) there is one for each 64 MiB whatever grows, and more objects only make it take longer. */
const COUNTS_BUFFERS_APART = 13;

/** 8 MiB that the collector has done with in a millisecond. */
const GROWTH_WORDS = 1_048_576;

/** Bytes. With less for its heap V8 allows less growth: not enough where there are few objects, and more of them would only make it worse. */
const GENEROUS_HEAP = 2_096 * 1_048_576;
const FEW_OBJECTS = 16 * 1_048_576;

/**
 * Sees to it, for as long as the process lasts, that V8 does not look at all objects again and again because of buffers that are free already.
 *
 * It lets 32 MiB of buffers come together before it looks for those that can be freed, and takes them for growth of the old objects meanwhile. How much growth it
 * allows it reckons at each full collection from how fast old objects came to be of late: three times what there is where many did, a tenth where hardly any
 * did, as in a program that receives. One such collection at the wrong moment, and there is another for each 64 MiB from then on: half the throughput for three
 * times the processor time. Old objects that come to be in the middle of a series end it.
 */
export async function endRepeatedCollections(): Promise<void> {
  if (Number.parseInt(process.versions.v8, 10) >= COUNTS_BUFFERS_APART) return;
  // Most processes never carry much, and loading this takes a millisecond.
  const { getHeapStatistics } = await import('node:v8');
  const canBeEnded = (): boolean => {
    const { heap_size_limit: limit, used_heap_size: used } = getHeapStatistics();
    return limit >= GENEROUS_HEAP || used > FEW_OBJECTS;
  };
  const times: number[] = [];
  const told = new FinalizationRegistry<undefined>(() => {
    const now = performance.now();
    if (times.push(now) === SERIES && now - (times.shift() ?? now) < WITHIN) {
      times.length = 0;
      if (canBeEnded()) kept.growth = new Array<number>(GROWTH_WORDS).fill(0);
    }
    waitForCollection();
  });
  /** Only a full collection notices that an object is gone. */
  const waitForCollection = (): void => {
    told.register({}, undefined);
  };
  kept.told = told;
  waitForCollection();
}
