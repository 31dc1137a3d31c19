import { accessSync, constants, statSync } from 'node:fs';

/**
 * Why a service's executable cannot be run, in amandad's words; undefined when it can.
 * Source: PROTOCOL.md, "The first packet".
 *
 * Synchronous, as in amandad: the thread pool would take several times as long.
 */
export function whyNotExecutable(executable: string): string | undefined {
  try {
    accessSync(executable, constants.X_OK);
    if (statSync(executable).isFile()) return undefined;
  } catch {
    // The words are the same for every reason.
  }
  return `execute access to '${executable}' denied`;
}
