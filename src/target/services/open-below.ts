import { constants } from 'node:fs';
import { open, realpath, statfs, type FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AmandaError } from '../../wire/errors.js';
import { encodeText } from '../../wire/text.js';

/** A file or directory for another program: by its descriptor if it has one, else by its path. */
export interface OpenedPath {
  /** Its path in this process. */
  readonly path: string;
  /** Optional; absent when the path is used as text. */
  readonly handle?: FileHandle | undefined;
}

const { O_DIRECTORY, O_NOFOLLOW } = constants;
/** Opens a path as a place and not for reading. The value is Linux's; Node has no name for it. */
const O_PATH = 0o10000000;
const PROC_SUPER_MAGIC = 0x9fa0;

/** The path that leads to an open file of this process, whatever has become of its name. */
export function descriptorPath(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`;
}

/** Whether {@link descriptorPath} works on this system: it needs Linux with /proc. */
export async function hasDescriptorPaths(): Promise<boolean> {
  try {
    return (await statfs('/proc/self/fd')).type === PROC_SUPER_MAGIC;
  } catch {
    return false;
  }
}

/**
 * Opens a directory or a file of any kind that lies below one of the roots. It opens one part of
 * the path after the other, each from the directory before, and follows no link below a root.
 *
 * Rejects with `ACCESS_DENIED` when no root leads there, before it looks at the file system.
 */
export async function openBelowRoots(
  roots: readonly string[],
  path: string,
  kind: 'directory' | 'any',
): Promise<FileHandle> {
  const parts = partsOf(path);
  let failure: unknown = new AmandaError('ACCESS_DENIED', 'The path is below none of the roots.');
  if (parts === undefined) throw failure;
  for (const root of roots) {
    for (const name of await namesOf(root)) {
      const start = partsOf(name) ?? [];
      if (start.some((part, n) => part !== parts[n])) continue;
      try {
        return await openParts(root, parts.slice(start.length), kind);
      } catch (error) {
        failure = error;
      }
    }
  }
  throw failure;
}

/** As {@link openBelowRoots}, from an open directory. The path is relative to it. */
export async function openBelow(
  directory: FileHandle,
  path: string,
  kind: 'directory' | 'any',
): Promise<FileHandle> {
  const parts = partsOf(path);
  if (parts === undefined) throw new AmandaError('ACCESS_DENIED', 'The path leads out.');
  return openParts(descriptorPath(directory.fd), parts, kind);
}

/** Opens the parts of a path in turn. The folder that they start from may be a link. */
async function openParts(
  folder: string,
  parts: readonly string[],
  kind: 'directory' | 'any',
): Promise<FileHandle> {
  let at = await open(folder, O_PATH | O_DIRECTORY);
  for (const [n, part] of parts.entries()) {
    const isDirectory = kind === 'directory' || n < parts.length - 1;
    const flags = O_PATH | O_NOFOLLOW | (isDirectory ? O_DIRECTORY : 0);
    const parent = at;
    try {
      at = await open(pathBytes(`${descriptorPath(parent.fd)}/${part}`), flags);
    } finally {
      await parent.close();
    }
  }
  return at;
}

/** Opens a directory as a place, links included. */
export function openDirectory(path: string): Promise<FileHandle> {
  return open(pathBytes(path), O_PATH | O_DIRECTORY);
}

/** Node takes a path that is not UTF-8 as bytes only. */
function pathBytes(path: string): Buffer {
  return Buffer.from(encodeText(path));
}

/** How a root may be called: by the name that its owner gave, and by the one without links. */
async function namesOf(root: string): Promise<readonly string[]> {
  const name = resolve(root);
  const real = await realpath(root).catch(() => name);
  return real === name ? [name] : [name, real];
}

/** Undefined when the path may lead up. */
function partsOf(path: string): readonly string[] | undefined {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return parts.includes('..') || path.includes('\0') ? undefined : parts;
}
