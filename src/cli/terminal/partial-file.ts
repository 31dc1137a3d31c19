import { unlinkSync, writevSync } from 'node:fs';
import { link, lstat, open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Observable, finalize, from, switchMap } from 'rxjs';
import { AmandaError } from '../../wire/errors.js';
import { codeOf, fileFailed } from './file-errors.js';

/**
 * A file that gets its name when it is complete. Until then it is `NAME.partial-PID` in the same
 * directory, with mode 0600. All errors are `FILE_FAILED`.
 */
export class PartialFile {
  readonly path: string;
  readonly #partial: string;
  readonly #handle: FileHandle;
  readonly #overwrite: boolean;
  #position = 0;
  #isOver = false;

  private constructor(path: string, partial: string, handle: FileHandle, overwrite: boolean) {
    this.path = path;
    this.#partial = partial;
    this.#handle = handle;
    this.#overwrite = overwrite;
  }

  /** Creates the file. Refuses an existing name unless it may be overwritten. */
  static async create(path: string, overwrite: boolean): Promise<PartialFile> {
    await checkName(path, overwrite);
    const partial = join(dirname(path), `${basename(path)}.partial-${process.pid}`);
    try {
      const { name, handle } = await openNew(partial);
      return new PartialFile(path, name, handle, overwrite);
    } catch (cause) {
      throw fileFailed('create', partial, cause);
    }
  }

  /** Appends bytes. */
  async append(bytes: Uint8Array): Promise<void> {
    await this.#write(bytes, this.#position);
    this.#position += bytes.length;
  }

  /**
   * Appends all parts before it returns, so that a caller inside a callback needs no queue. No
   * other write may be pending.
   */
  appendNow(parts: readonly Uint8Array[]): void {
    try {
      for (let left: Uint8Array[] = parts.filter(({ length }) => length > 0); left.length > 0;) {
        const written = writevSync(this.#handle.fd, left, this.#position);
        this.#position += written;
        left = withoutFirst(left, written);
      }
    } catch (cause) {
      throw fileFailed('write to', this.#partial, cause);
    }
  }

  /** Leaves the incomplete file in place, and returns its name. */
  keep(): string {
    this.#isOver = true;
    this.#handle.close().catch(() => undefined);
    return this.#partial;
  }

  /** Overwrites the beginning. */
  async rewrite(bytes: Uint8Array): Promise<void> {
    await this.#write(bytes, 0);
  }

  /** Flushes the file to the disk and gives it its name. */
  async publish(): Promise<void> {
    try {
      await this.#handle.sync();
      await this.#handle.close();
      await (this.#overwrite
        ? rename(this.#partial, this.path)
        : nameOnce(this.#partial, this.path));
      this.#isOver = true;
      await syncDirectory(dirname(this.path));
    } catch (cause) {
      throw codeOf(cause) === 'EEXIST'
        ? taken(this.path)
        : fileFailed('complete', this.path, cause);
    }
  }

  /**
   * Removes the file unless it is published. Synchronous, so that it also works while the process
   * exits.
   */
  discard(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      unlinkSync(this.#partial);
    } catch {
      // It is already gone.
    }
    // Closing waits for a pending write, whose failure does not matter now.
    this.#handle.close().catch(() => undefined);
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#handle.write(
          bytes,
          done,
          bytes.length - done,
          position + done,
        );
        done += bytesWritten;
      }
    } catch (cause) {
      throw fileFailed('write to', this.#partial, cause);
    }
  }
}

/**
 * Creates a file before `use` is called, and removes it when `use` ends, unless it is published.
 * Errors with `FILE_FAILED`.
 */
export function withPartialFile<T>(
  path: string,
  overwrite: boolean,
  use: (file: PartialFile) => Observable<T>,
): Observable<T> {
  return new Observable((out) => {
    let isWanted = true;
    // Creating cannot be interrupted, so a file that comes too late is removed.
    const created = PartialFile.create(path, overwrite).then((file) => {
      if (!isWanted) file.discard();
      return file;
    });
    out.add(() => {
      isWanted = false;
    });
    return from(created)
      .pipe(
        switchMap((file) =>
          use(file).pipe(
            finalize(() => {
              file.discard();
            }),
          ),
        ),
      )
      .subscribe(out);
  });
}

async function checkName(path: string, overwrite: boolean): Promise<void> {
  if (path === '' || path.endsWith('/'))
    throw new AmandaError('FILE_FAILED', `"${path}" is no name for a file.`);
  const found = await lstat(path).catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw fileFailed('create', path, cause);
  });
  if (found === undefined) return;
  if (found.isDirectory())
    throw new AmandaError('FILE_FAILED', `${path} is a directory; give the name of a file in it.`);
  // Publishing would replace the device or link itself, not write to its target.
  if (!found.isFile())
    throw new AmandaError(
      'FILE_FAILED',
      `${path} is not a regular file, and will not be replaced by one.`,
    );
  if (!overwrite) throw taken(path);
}

function taken(path: string): AmandaError {
  return new AmandaError(
    'FILE_FAILED',
    `${path} exists already; choose another name, or replace it with --force.`,
  );
}

/**
 * A taken name belongs to another dump of this process, or to a process that was killed. It is left
 * alone.
 */
async function openNew(
  partial: string,
  attempt = 1,
): Promise<{ readonly name: string; readonly handle: FileHandle }> {
  const name = attempt === 1 ? partial : `${partial}-${attempt}`;
  try {
    return { name, handle: await open(name, 'wx', 0o600) };
  } catch (cause) {
    if (codeOf(cause) !== 'EEXIST' || attempt === MAX_ATTEMPTS) throw cause;
    return await openNew(partial, attempt + 1);
  }
}

const MAX_ATTEMPTS = 100;

/**
 * Unlike `rename`, `link` fails when another program has taken the name meanwhile. Not every file
 * system has links.
 */
async function nameOnce(partial: string, path: string): Promise<void> {
  try {
    await link(partial, path);
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') throw cause;
    await checkName(path, false);
    await rename(partial, path);
    return;
  }
  await unlink(partial);
}

/** The parts without the first `written` bytes. */
function withoutFirst(parts: readonly Uint8Array[], written: number): Uint8Array[] {
  let passed = 0;
  return parts.flatMap((part) => {
    const cut = Math.max(0, written - passed);
    passed += part.length;
    return cut >= part.length ? [] : [part.subarray(cut)];
  });
}

/**
 * Flushes the directory, which makes the name durable. Some file systems cannot do that; the file
 * exists all the same.
 */
async function syncDirectory(path: string): Promise<void> {
  let directory: FileHandle | undefined;
  try {
    directory = await open(path, 'r');
    await directory.sync();
  } catch (cause) {
    if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EACCES', 'EBADF'].includes(codeOf(cause) ?? ''))
      throw cause;
  } finally {
    await directory?.close();
  }
}
