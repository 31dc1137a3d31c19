import { accessSync, constants } from 'node:fs';
import { describe } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** Why the tests here are skipped. `npm test` prints it beside their names. */
    skipReason?: string;
  }
}

/**
 * Tests that need something a machine may not have: they run, or are skipped by name and with the
 * reason.
 *
 *     describeUnless(missingPrograms('/usr/sbin/amservice'), 'amservice', () => { … });
 *
 * `npm test` counts a skip without a reason as a failure. A single test says its reason itself,
 * with `context.skip(reason)`.
 */
export function describeUnless(reason: string | undefined, name: string, body: () => void): void {
  if (reason === undefined) describe(name, body);
  else describe.skip(name, { meta: { skipReason: reason } }, body);
}

/**
 * The reason when one of the programs, named by their paths, is not there to be run; undefined when
 * all are.
 */
export function missingPrograms(...paths: readonly string[]): string | undefined {
  const missing = paths.filter((path) => !isExecutable(path));
  return missing.length === 0 ? undefined : `${missing.join(', ')} not installed`;
}

/**
 * The reason when these tests do not run as root; undefined when they do. Only root may bind
 * reserved ports and run a program as another user.
 */
export function notRoot(): string | undefined {
  return process.getuid?.() === 0
    ? undefined
    : 'needs root: reserved ports, and programs that run as user backup';
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
