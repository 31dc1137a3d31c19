import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('racer.py', import.meta.url));

/** Why no process here can swap two names; undefined when one can. */
export function whyNoRacer(): string | undefined {
  const { status } = spawnSync('python3', ['-c', 'import ctypes; ctypes.CDLL(None).renameat2']);
  return status === 0 ? undefined : 'needs python3, and a C library with renameat2';
}

export interface Racer {
  /** How many swaps it has made. */
  readonly swaps: () => number;
  /** Ends it. Rejects with what it said when it has failed. */
  stop(): Promise<void>;
}

/** A process that swaps the names of each pair, without pause. Resolves after its first swaps. */
export async function startRacer(
  ...pairs: readonly (readonly [one: string, other: string])[]
): Promise<Racer> {
  const child = spawn('python3', [program, ...pairs.flat()], { stdio: 'pipe' });
  let [swaps, said] = [0, ''];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => (swaps = Number(line)));
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const ended = once(child, 'close');
  await Promise.race([once(lines, 'line'), ended]);
  return {
    swaps: () => swaps,
    stop: async () => {
      const failed = child.exitCode !== null;
      child.stdin.end();
      await ended;
      if (failed || child.exitCode !== 0) throw new Error(`the racer has failed: ${said}`);
    },
  };
}
