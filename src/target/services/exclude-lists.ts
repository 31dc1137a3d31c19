import { constants } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import type { DleSelection } from '../../wire/dle/dle.js';
import { AmandaError } from '../../wire/errors.js';
import { printable } from '../../wire/text.js';
import { descriptorPath, openBelow, openBelowRoots, type OpenedPath } from './open-below.js';

/** The most bytes that all lists of a request may have. */
const MOST_LIST_BYTES = 1_048_576;
const NEWLINE = Buffer.from('\n');

/**
 * Reads the exclude lists of an entry, one after the other, as one list.
 *
 * A relative name starts at the directory that is dumped. With roots, a list is read only below
 * them. Rejects with `BAD_REQUEST` for a list that cannot be read, unless lists are optional. The
 * message is the same for every reason. Undefined when there is no list.
 */
export async function readExcludeLists(
  { lists, optional }: DleSelection,
  directory: OpenedPath,
  roots: readonly string[] | undefined,
): Promise<Uint8Array | undefined> {
  const read: Uint8Array[] = [];
  let left = MOST_LIST_BYTES;
  for (const list of lists) {
    const bytes = await readList(list, directory, roots, left).catch(() => undefined);
    if (bytes !== undefined) {
      left -= bytes.length;
      read.push(bytes, NEWLINE);
    } else if (!optional) {
      const file = printable(resolve(directory.path, list));
      throw new AmandaError('BAD_REQUEST', `[sendbackup: cannot read the exclude list ${file}]`);
    }
  }
  return read.length === 0 ? undefined : Buffer.concat(read);
}

async function readList(
  list: string,
  directory: OpenedPath,
  roots: readonly string[] | undefined,
  most: number,
): Promise<Uint8Array | undefined> {
  if (roots === undefined) return readFileAt(resolve(directory.path, list), most);
  const found = await openListBelow(roots, directory, list);
  try {
    return await readFileAt(descriptorPath(found.fd), most);
  } finally {
    await found.close();
  }
}

function openListBelow(
  roots: readonly string[],
  { handle }: OpenedPath,
  list: string,
): Promise<FileHandle> {
  return isAbsolute(list) || handle === undefined
    ? openBelowRoots(roots, list, 'any')
    : openBelow(handle, list, 'any');
}

/** Undefined for what is no file of a plausible size. A device is never opened. */
async function readFileAt(path: string, most: number): Promise<Uint8Array | undefined> {
  if (!(await stat(path)).isFile()) return undefined;
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile() || found.size > most) return undefined;
    const bytes = Buffer.alloc(found.size);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
