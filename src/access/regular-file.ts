import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';

/**
 * The flags for opening a file to read it. Without O_NONBLOCK, opening a FIFO waits for a writer;
 * without O_NOCTTY, a terminal may become this process's own.
 */
export const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** The sentence's end for a FIFO, a device, a socket or a folder in a file's place. */
export const NO_REGULAR_FILE = 'it is no regular file';

/** A file's bytes and status. */
export interface ReadFile {
  readonly bytes: Buffer;
  readonly stat: Stats;
}

/**
 * Reads a regular file of at most `limit` bytes, without ever waiting. Throws what the system says,
 * and an Error for another kind of file and for a larger one.
 */
export function readRegularFile(path: string, limit: number): ReadFile {
  const descriptor = openSync(path, READ_FLAGS);
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new Error(NO_REGULAR_FILE);
    const bytes = readUpTo(descriptor, stat.size, limit);
    if (bytes === undefined) throw new Error(`it has over ${limit} bytes`);
    return { bytes, stat };
  } finally {
    closeSync(descriptor);
  }
}

/** The least bytes of one read; files under /proc claim to be empty. */
const LEAST_BYTES = 1_023;

/**
 * The file's bytes; undefined for more than `limit`. The file may grow meanwhile, so its size is
 * only a hint. A short read of a regular file means its end.
 */
export function readUpTo(file: number, size: number, limit: number): Buffer | undefined {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    // One more than expected, so that one read shows the end.
    const chunk = Buffer.allocUnsafe(Math.min(Math.max(size, LEAST_BYTES), limit) + 1);
    const length = readSync(file, chunk, 0, chunk.length, null);
    total += length;
    if (total > limit) return undefined;
    chunks.push(chunk.subarray(0, length));
    if (length < chunk.length) return Buffer.concat(chunks);
  }
}
