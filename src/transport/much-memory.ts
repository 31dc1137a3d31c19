import { endRepeatedCollections } from './repeated-collections.js';

let isPrepared = false;

/** What is done once, before the first connection that carries much has its large buffers: they are to be had again quickly when they are freed. */
export function prepareForMuch(): void {
  if (isPrepared) return;
  isPrepared = true;
  if (process.platform === 'linux') keepFreedMemory();
  void endRepeatedCollections();
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
