let isPrepared = false;
/** For as long as the process lasts. */
const kept: (readonly number[])[] = [];

/** What is done once, before the first connection that carries much has its large buffers: they are to be had again quickly when they are freed. */
export function prepareForMuch(): void {
  if (isPrepared) return;
  isPrepared = true;
  if (process.platform === 'linux') keepFreedMemory();
  void takeBallast();
}

/** The largest block by which the C library can be told; it is never touched, so it takes no memory. */
const LARGEST_BLOCK = 33_554_432 - 65_536;

/**
 * Makes the C library keep up to 64 MiB of what the collector frees, for the next buffers. glibc gives blocks like ours back to the system, which has to
 * zero each page when it is wanted again, until it has seen a larger block freed: it takes that size for the program's usual one.
 */
function keepFreedMemory(): void {
  try {
    Buffer.allocUnsafeSlow(LARGEST_BLOCK);
  } catch {
    // A process that may not have so much address space does without.
  }
}

/**
 * 8 MiB of old objects that the collector has done with in a millisecond. It lets 32 MiB of buffers come together before it looks for those that can be freed,
 * and takes them for growth of the old objects meanwhile, of which it allows three times what there was when it last looked at all of them. Under 8 MiB it
 * looks at nothing old; above 11, three times are more than 32. A program between them, which has a megabyte or two of its own beside this library, would have all
 * its objects looked at for each 64 MiB received: half the throughput for three times the processor time.
 */
const BALLAST_WORDS = 1_048_576;

/** Bytes. With less for its heap, V8 allows less growth, by which such a program is one of up to 50 MiB: no ballast is large enough. */
const GENEROUS_HEAP = 2_096 * 1_048_576;

/** Loads `node:v8` for it: most processes never carry much, and it takes a millisecond. */
async function takeBallast(): Promise<void> {
  const { getHeapStatistics } = await import('node:v8');
  if (getHeapStatistics().heap_size_limit >= GENEROUS_HEAP) kept.push(new Array<number>(BALLAST_WORDS).fill(0));
}
