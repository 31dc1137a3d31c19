import { copyFile, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeText } from '../../wire/text.js';
import { descriptorPath, hasDescriptorPaths, type OpenedPath } from './open-below.js';

/** The file in which tar records a dump, so that a later dump has only what has changed since. */
export interface Snapshot extends OpenedPath {
  /** The level that it was copied from; absent when it is empty. */
  readonly base?: number | undefined;
  /** Makes it the base for dumps of higher levels. */
  keep(): Promise<void>;
  /** Removes it unless it was kept. */
  discard(): Promise<void>;
}

/**
 * Makes the snapshot for a dump: a copy of the next lower level's snapshot that exists. Without one
 * it is empty, which makes a full dump. It has no name if a descriptor is enough, so that a killed
 * process leaves nothing. Rejects with the file system's error.
 */
export async function takeSnapshot(folder: string, name: string, level: number): Promise<Snapshot> {
  // Loaded on demand: a target that inetd starts for each connection has to start fast.
  const { createHash, randomUUID } = await import('node:crypto');
  const digest = createHash('sha256').update(encodeText(name)).digest('hex');
  const base = join(folder, fileName(name, digest));
  const fresh = `${base}_${level}.${randomUUID()}.new`;
  let copied: number | undefined;
  const file = await openNameless(fresh, async (path) => {
    copied = await copyBelow(base, level, path);
  });
  return { ...file, base: copied, keep: () => keepAs(`${base}_${level}`, fresh, file) };
}

/** A new file that has no name, or keeps the one given where descriptors have no paths. */
async function openNameless(
  name: string,
  fill: (path: string) => Promise<void>,
): Promise<Omit<Snapshot, 'keep' | 'base'>> {
  const nameless = await hasDescriptorPaths();
  const handle = await open(name, 'wx+', 0o600);
  try {
    if (nameless) await rm(name);
    await fill(nameless ? descriptorPath(handle.fd) : name);
  } catch (error) {
    await handle.close();
    await rm(name, { force: true });
    throw error;
  }
  const discard = async (): Promise<void> => {
    await handle.close();
    await rm(name, { force: true });
  };
  return { path: name, handle: nameless ? handle : undefined, discard };
}

async function keepAs(name: string, fresh: string, { handle }: OpenedPath): Promise<void> {
  try {
    if (handle !== undefined) await copyFile(descriptorPath(handle.fd), fresh);
    await rename(fresh, name);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}

/** Resolves to the level that was copied. */
async function copyBelow(base: string, level: number, path: string): Promise<number | undefined> {
  for (let below = level - 1; below >= 0; below--) {
    try {
      await copyFile(`${base}_${below}`, path);
      return below;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  return undefined;
}

/** Unique for each name: if two disks shared a file, changes would be missing from their dumps. */
function fileName(name: string, digest: string): string {
  const readable = name.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 150);
  return `${readable}-${digest.slice(0, 16)}`;
}
