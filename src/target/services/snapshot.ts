import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, open, rename, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The file in which tar records a dump, so that a later dump has only what has changed since. */
export interface Snapshot {
  /** Its path, or the open file. */
  readonly file: string | FileHandle;
  /** Makes it the base for dumps of higher levels. */
  keep(): Promise<void>;
  /** Removes it unless it was kept. */
  discard(): Promise<void>;
}

/**
 * Makes the snapshot for a dump: a copy of the one of the next lower level that exists, or an empty
 * one, which makes a full dump. Without a folder it has no name. Rejects with the file system's
 * error.
 */
export async function takeSnapshot(
  folder: string | undefined,
  name: string,
  level: number,
): Promise<Snapshot> {
  if (folder === undefined) return temporary();
  // Loaded on demand: a target that inetd starts for each connection has to start fast.
  const { createHash, randomUUID } = await import('node:crypto');
  const digest = createHash('sha256').update(name).digest('hex');
  const base = join(folder, fileName(name, digest));
  const file = `${base}_${level}.${randomUUID()}.new`;
  await copyBelow(base, level, file);
  return {
    file,
    keep: () => rename(file, `${base}_${level}`),
    discard: () => rm(file, { force: true }),
  };
}

/** With /proc it has no name, so that nothing stays behind even if this process is killed. */
async function temporary(): Promise<Snapshot> {
  const folder = await mkdtemp(join(tmpdir(), 'rx-amanda-'));
  const path = join(folder, 'snapshot');
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const keep = (): Promise<void> => Promise.resolve();
  if (!existsSync('/proc/self/fd')) return { file: path, keep, discard: remove };
  try {
    const file = await open(path, 'w+', 0o600);
    return { file, keep, discard: () => file.close() };
  } finally {
    await remove();
  }
}

async function copyBelow(base: string, level: number, file: string): Promise<void> {
  for (let below = level - 1; below >= 0; below--) {
    try {
      await copyFile(`${base}_${below}`, file);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  await writeFile(file, '', { mode: 0o600 });
}

/** Unique for each name: if two disks shared a file, changes would be missing from their dumps. */
function fileName(name: string, digest: string): string {
  const readable = name.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 150);
  return `${readable}-${digest.slice(0, 16)}`;
}
