import { statSync } from 'node:fs';

/**
 * What changes when a file is written, replaced, or given another owner or mode. Undefined when a
 * file is missing, or so new that the next change may leave the same times.
 */
export function fileIdentity(paths: readonly string[]): string | undefined {
  try {
    const all = paths.map((path) => statSync(path));
    const newest = Math.max(...all.map(({ ctimeMs }) => ctimeMs));
    if (Date.now() - newest < CLOCK_TICK) return undefined;
    return all
      .map(({ dev, ino, size, mtimeMs, ctimeMs }) => [dev, ino, size, mtimeMs, ctimeMs].join(' '))
      .join('\n');
  } catch {
    return undefined;
  }
}

/** Milliseconds; a kernel stamps files with the time of its last tick. */
const CLOCK_TICK = 100;
