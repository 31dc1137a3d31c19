import { access, constants, stat } from 'node:fs';
import { promisify } from 'node:util';

// Not those of node:fs/promises: that takes most of a millisecond to load, which counts where a process is started for each connection.
const mayAccess = promisify(access);
const statOf = promisify(stat);

/** Why a service's executable cannot be run, in amandad's words; undefined when it can. Never rejects. Source: PROTOCOL.md, "The first packet". */
export async function whyNotExecutable(executable: string): Promise<string | undefined> {
  try {
    await mayAccess(executable, constants.X_OK);
    if ((await statOf(executable)).isFile()) return undefined;
  } catch {
    // Told the same way, whatever it is.
  }
  return `execute access to '${executable}' denied`;
}
