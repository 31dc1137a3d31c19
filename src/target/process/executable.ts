import { accessSync, constants, statSync } from 'node:fs';

/**
 * Why a service's executable cannot be run, in amandad's words; undefined when it can. Source: PROTOCOL.md, "The first packet".
 *
 * At once, as amandad does: another thread would take several times as long.
 */
export function whyNotExecutable(executable: string): string | undefined {
  try {
    accessSync(executable, constants.X_OK);
    if (statSync(executable).isFile()) return undefined;
  } catch {
    // Told the same way, whatever it is.
  }
  return `execute access to '${executable}' denied`;
}
