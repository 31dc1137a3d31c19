import { HEADER_BYTES } from '../wire/frame-header.js';

/** Bytes of a slab: eight frames of 32 KiB, since a larger read costs less a byte. */
export const SLAB_BYTES = 8 * (32_768 + HEADER_BYTES);
/** Free slabs that are kept for the next readers, 2 MiB in all. */
const MAX_FREE = 8;

/** How many chunks of a slab are still held, and whether its owner is still filling it. */
interface Slab {
  holders: number;
}

const slabs = new WeakMap<ArrayBufferLike, Slab>();
const free: ArrayBuffer[] = [];
/** The slab that was looked up last: chunks come in runs. */
let lastBuffer: ArrayBufferLike | undefined;
let lastSlab: Slab | undefined;

/**
 * Memory to read into, held once by the caller. Chunks are cut from it; each that outlives its
 * delivery is held as well. A slab without holders is handed out again.
 */
export function takeSlab(): Uint8Array<ArrayBuffer> {
  const slab = new Uint8Array(free.pop() ?? newBuffer());
  slabs.set(slab.buffer, { holders: 1 });
  if (lastBuffer === slab.buffer) lastBuffer = undefined;
  return slab;
}

/**
 * Keeps the memory of a chunk from being written to again. A reader that may keep its chunks holds
 * them for ever: the collector then frees the slab.
 */
export function hold({ buffer }: Uint8Array): void {
  const slab = slabOf(buffer);
  if (slab !== undefined) slab.holders += 1;
}

/**
 * Takes back one {@link hold} of the same memory. Memory that is no slab is left to the collector.
 */
export function release({ buffer }: Uint8Array): void {
  const slab = slabOf(buffer);
  if (slab === undefined) return;
  slab.holders -= 1;
  if (slab.holders > 0) return;
  slabs.delete(buffer);
  lastBuffer = undefined;
  // A buffer that was transferred to another thread is empty.
  if (buffer.byteLength === SLAB_BYTES && free.length < MAX_FREE) free.push(buffer as ArrayBuffer);
}

/**
 * Marks a chunk's memory as shared by several readers. `postMessage` with it in its transfer list
 * then copies the chunk (Node 20) or throws a `DataCloneError` (later).
 */
export function markShared(chunk: Uint8Array): void {
  if (slabOf(chunk.buffer) === undefined) markUntransferable(chunk.buffer);
}

function slabOf(buffer: ArrayBufferLike): Slab | undefined {
  if (lastBuffer === buffer) return lastSlab;
  lastBuffer = buffer;
  lastSlab = slabs.get(buffer);
  return lastSlab;
}

function newBuffer(): ArrayBuffer {
  const { buffer } = Buffer.allocUnsafeSlow(SLAB_BYTES);
  markUntransferable(buffer);
  return buffer;
}

let mark: ((memory: object) => void) | undefined;

function markUntransferable(buffer: ArrayBufferLike): void {
  // Loaded at the first chunk: most programs never get here.
  mark ??= process.getBuiltinModule('node:worker_threads').markAsUntransferable;
  mark(buffer);
}
