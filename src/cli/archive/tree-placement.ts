import type { Stats } from 'node:fs';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readlink,
  rename,
  unlink,
  utimes,
} from 'node:fs/promises';
import { codeOf } from '../terminal/file-errors.js';

/** What became of a tree that was moved into place. */
export interface Placed {
  /** Entries that were there already, as they were backed up. */
  readonly same: number;
  /** Other entries that were there, and stay: the first of them, one character a byte. */
  readonly kept: readonly string[];
  readonly keptCount: number;
}

/** The most names of {@link Placed.kept}. */
const MOST_KEPT = 20;

/** Moves selected paths of one tree into another. */
export class TreePlacement {
  readonly #selected: readonly string[];
  readonly #overwrite: boolean;
  readonly #kept: string[] = [];
  #keptCount = 0;
  #same = 0;

  constructor(selected: readonly string[], overwrite: boolean) {
    this.#selected = selected;
    this.#overwrite = overwrite;
  }

  async merge(tree: string, destination: string): Promise<Placed> {
    const [from, to] = [Buffer.from(tree), Buffer.from(destination)];
    const isEmpty = (await readdir(to)).every((name) => tree.includes(`/${name}/`));
    await this.#mergeDirectory(from, to, '');
    if (this.#selected.includes('/') && (isEmpty || this.#overwrite))
      await giveAttributes(await lstat(from), to);
    return { same: this.#same, kept: this.#kept, keptCount: this.#keptCount };
  }

  async #mergeDirectory(from: Buffer, to: Buffer, path: string): Promise<void> {
    for (const name of await readdir(from, { encoding: 'buffer' })) {
      const below = `${path}/${name.toString('latin1')}`;
      const isWanted = this.#selected.some(
        (one) => one === '/' || below === one || below.startsWith(`${one}/`),
      );
      if (isWanted || this.#selected.some((one) => one.startsWith(`${below}/`)))
        await this.#place(within(from, name), within(to, name), below, isWanted);
    }
  }

  async #place(from: Buffer, to: Buffer, path: string, isWanted: boolean): Promise<void> {
    const found = await lstat(from);
    const there = await lstat(to).catch((cause: unknown) => {
      if (codeOf(cause) !== 'ENOENT') throw cause;
    });
    if (there === undefined && isWanted) {
      await move(from, to, found);
    } else if (found.isDirectory() && (there === undefined || there.isDirectory())) {
      if (there === undefined) await mkdir(to);
      await this.#mergeDirectory(from, to, path);
      if (there === undefined || (isWanted && this.#overwrite)) await giveAttributes(found, to);
    } else if (there !== undefined && isWanted) {
      await this.#replace(from, to, path, [found, there]);
    }
  }

  async #replace(
    from: Buffer,
    to: Buffer,
    path: string,
    [found, there]: readonly [Stats, Stats],
  ): Promise<void> {
    if (await isSame([from, found], [to, there])) {
      this.#same++;
      return;
    }
    if (!this.#overwrite || there.isDirectory()) {
      this.#keptCount++;
      if (this.#kept.length < MOST_KEPT) this.#kept.push(path);
      return;
    }
    if (found.isDirectory()) await unlink(to);
    await move(from, to, found);
  }
}

function within(directory: Buffer, name: Buffer): Buffer {
  return Buffer.concat([directory, Buffer.from('/'), name]);
}

/** A directory that its owner may not write to cannot be moved by another user than root. */
async function move(from: Buffer, to: Buffer, { mode, ...stats }: Stats): Promise<void> {
  const isDirectory = (mode & 0o170000) === 0o040000;
  try {
    await rename(from, to);
  } catch (cause) {
    if (codeOf(cause) !== 'EACCES' || !isDirectory) throw cause;
    await chmod(from, 0o700);
    await rename(from, to);
    await chmod(to, mode & 0o7777);
    await utimes(to, stats.atimeMs / 1_000, stats.mtimeMs / 1_000);
  }
}

async function giveAttributes(found: Stats, to: Buffer): Promise<void> {
  if (process.getuid?.() === 0) await chown(to, found.uid, found.gid);
  await chmod(to, found.mode & 0o7777);
  await utimes(to, found.atimeMs / 1_000, found.mtimeMs / 1_000);
}

type Entry = readonly [path: Buffer, stats: Stats];

/** Whether a file or a link is as an earlier run has recovered it. */
async function isSame([from, found]: Entry, [to, there]: Entry): Promise<boolean> {
  if (found.mode !== there.mode || found.isDirectory()) return false;
  if (found.isSymbolicLink())
    return (await readlink(from, 'buffer')).equals(await readlink(to, 'buffer'));
  return found.size === there.size && found.mtimeMs === there.mtimeMs;
}
