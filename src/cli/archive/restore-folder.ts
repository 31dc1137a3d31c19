import { mkdir, mkdtemp, lstat, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Observable, finalize, from, switchMap } from 'rxjs';
import { codeOf, fileFailed } from '../terminal/file-errors.js';
import { TreePlacement, type Placed } from './tree-placement.js';

/** What names of working folders begin with. */
const PREFIX = '.rx-amanda-recover-';

/**
 * A private folder into which a tree is unpacked, and from which it is moved into place when it is
 * whole. It is in the destination, or beside it if that does not exist. All errors are
 * `FILE_FAILED`.
 */
export class RestoreFolder {
  /** Where to unpack. */
  readonly tree: string;
  /** Folders that earlier runs have left. */
  readonly leftovers: readonly string[];
  readonly #work: string;
  readonly #destination: string;
  readonly #isNew: boolean;

  private constructor(
    work: string,
    destination: string,
    isNew: boolean,
    leftovers: readonly string[],
  ) {
    this.#work = work;
    this.tree = join(work, 'tree');
    this.#destination = destination;
    this.#isNew = isNew;
    this.leftovers = leftovers;
  }

  static async create(destination: string): Promise<RestoreFolder> {
    try {
      const isNew = (await lstat(destination).catch(missing)) === undefined;
      const place = isNew ? dirname(destination) : destination;
      const names = await readdir(place);
      const leftovers = names.filter((name) => name.startsWith(PREFIX));
      const work = await mkdtemp(join(place, PREFIX));
      const folder = new RestoreFolder(
        work,
        destination,
        isNew,
        leftovers.map((name) => join(place, name)),
      );
      await mkdir(folder.tree);
      return folder;
    } catch (cause) {
      throw fileFailed('create a folder in', destination, cause);
    }
  }

  /**
   * Moves the selected paths into place. Existing entries stay unless they may be replaced; each
   * path is as the guard of an archive has it.
   */
  async place(selected: readonly string[], overwrite: boolean): Promise<Placed> {
    try {
      if (this.#isNew && selected.includes('/')) {
        await rename(this.tree, this.#destination);
        return { same: 0, kept: [], keptCount: 0 };
      }
      if (this.#isNew) await mkdir(this.#destination, { recursive: true });
      const placement = new TreePlacement(selected, overwrite);
      return await placement.merge(this.tree, this.#destination);
    } catch (cause) {
      throw fileFailed('move what was recovered into', this.#destination, cause);
    }
  }

  /** Whether a path was unpacked. */
  async has(path: string): Promise<boolean> {
    const place = Buffer.concat([Buffer.from(this.tree), Buffer.from(path, 'latin1')]);
    return (await lstat(place).catch(() => undefined)) !== undefined;
  }

  /** Removes the folder and what is left in it. */
  async discard(): Promise<void> {
    // tar may be at its last file.
    await rm(this.#work, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** Creates a folder before `use` is called, and removes it when `use` ends. */
export function withRestoreFolder<T>(
  destination: string,
  use: (folder: RestoreFolder) => Observable<T>,
): Observable<T> {
  return new Observable((out) => {
    let isWanted = true;
    const created = RestoreFolder.create(destination).then((folder) => {
      // Creating cannot be interrupted.
      if (!isWanted) discardQuietly(folder);
      return folder;
    });
    out.add(() => {
      isWanted = false;
    });
    out.add(
      from(created)
        .pipe(
          switchMap((folder) =>
            use(folder).pipe(
              finalize(() => {
                discardQuietly(folder);
              }),
            ),
          ),
        )
        .subscribe(out),
    );
  });
}

/** What cannot be removed is a leftover, which the next run notes. */
function discardQuietly(folder: RestoreFolder): void {
  folder.discard().catch(() => undefined);
}

function missing(cause: unknown): undefined {
  if (codeOf(cause) !== 'ENOENT') throw cause;
}
