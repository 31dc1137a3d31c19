import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { checkArgument } from '../../wire/arguments.js';
import { AmandaError } from '../../wire/errors.js';
import { messageOf } from '../../wire/text.js';
import type { DumpBase } from './backup-entry.js';

/** Remembers which dumps have finished, for the levels that build on them. */
export interface DumpJournal {
  /** The finished dumps of an entry, at most one a level. `key` names server, host and disk. */
  readonly read: (key: string) => readonly DumpBase[] | PromiseLike<readonly DumpBase[]>;
  /** Replaces them. Resolves when they are safe. */
  readonly write: (key: string, dumps: readonly DumpBase[]) => void | PromiseLike<void>;
}

/**
 * A journal in one file, which is replaced as a whole. Only one process may write it.
 *
 * The file has mode 0600, and its folder is made. Errors with `FILE_FAILED` for a file that cannot
 * be read or written, or that is no journal.
 *
 * @example
 * ```ts
 * import { backupServices, fileJournal, tarArchive } from 'rx-amanda';
 *
 * const files = [{ name: 'orders.txt', content: 'milk\n' }];
 * const orders = { estimate: () => 5, dump: () => tarArchive({ files }) };
 * const journal = fileJournal('/var/lib/shop/dumps.json');
 * const services = backupServices(() => orders, { journal });
 * ```
 */
export function fileJournal(path: string): DumpJournal {
  checkArgument('The path of fileJournal', path, 'name');
  let last: Promise<unknown> = Promise.resolve();
  return {
    read: async (key) => {
      await last;
      return (await readJournal(path)).get(key) ?? [];
    },
    write: (key, dumps) => {
      const written = last.then(async () => {
        const all = await readJournal(path);
        await replace(path, JSON.stringify(Object.fromEntries(all.set(key, dumps))));
      });
      // The next one is not refused because this one failed.
      last = written.catch(() => undefined);
      return written;
    },
  };
}

/** The dumps after one more has finished. Those of its level and above have lost their base. */
export function withFinished(dumps: readonly DumpBase[], finished: DumpBase): readonly DumpBase[] {
  return [...dumps.filter(({ level }) => level < finished.level), finished];
}

/** The dump that a level builds on. */
export function baseOf(dumps: readonly DumpBase[], level: number): DumpBase | undefined {
  return dumps
    .filter((dump) => dump.level < level)
    .reduce<DumpBase | undefined>(
      (newest, dump) => (newest === undefined || dump.at >= newest.at ? dump : newest),
      undefined,
    );
}

async function readJournal(path: string): Promise<Map<string, readonly DumpBase[]>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw failed('read', path, cause);
  }
  try {
    return new Map(
      Object.entries(JSON.parse(text) as object).map(([key, dumps]) => [key, parsed(dumps)]),
    );
  } catch (cause) {
    throw failed('read', path, cause);
  }
}

function parsed(dumps: unknown): readonly DumpBase[] {
  if (!Array.isArray(dumps)) throw new Error('it is no journal of dumps');
  return dumps.map((dump: { level?: unknown; at?: unknown; state?: unknown } | null): DumpBase => {
    const { level, at, state } = dump ?? {};
    const date = new Date(typeof at === 'string' ? at : Number.NaN);
    if (!Number.isInteger(level) || Number.isNaN(date.getTime()))
      throw new Error('it is no journal of dumps');
    return { level: level as number, at: date, state };
  });
}

/** After a crash there is the old file or the new one. */
async function replace(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await rm(fresh, { force: true });
    const file = await open(fresh, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, path);
    const folder = await open(dirname(path), 'r');
    await folder.sync().finally(() => folder.close());
  } catch (cause) {
    throw failed('write', path, cause);
  }
}

function failed(deed: 'read' | 'write', path: string, cause: unknown): AmandaError {
  return new AmandaError('FILE_FAILED', `Cannot ${deed} ${path}: ${messageOf(cause)}.`, { cause });
}
