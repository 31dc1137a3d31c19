import { posix } from 'node:path';
import { concatMap, from, map, of, takeLast, toArray, type Observable } from 'rxjs';
import type { IndexedDump, IndexedEntry } from '../../../initiator/recover/index-entries.js';
import type { IndexedDisk, IndexSession } from '../../../initiator/recover/index-session.js';
import { restorePlan } from '../../../initiator/recover/restore-plan.js';
import type { DiskPath } from './disk-path.js';
import { notInIndex } from './look.js';
import { choosePlace, type PlaceValues } from './recover-place.js';

/** What to restore, and from which dumps. */
export interface GetPlan {
  readonly place: IndexedDisk;
  readonly paths: readonly DiskPath[];
  /** In the order in which to restore them. */
  readonly dumps: readonly IndexedDump[];
}

/**
 * Plans a restore. A directory needs the full dump and those that build on it; a file only the
 * newest one that has it. Errors with `SERVICE_FAILED` for a path that the index does not have.
 */
export function planGet(
  session: IndexSession,
  values: PlaceValues,
  paths: readonly DiskPath[],
  date: string | undefined,
): Observable<GetPlan> {
  return choosePlace(session, values).pipe(
    concatMap((place) =>
      session.dumps(place).pipe(
        toArray(),
        map((dumps) => restorePlan(dumps, date)),
        concatMap((dumps) =>
          neededDumps(session, place, paths, dumps).pipe(
            map((needed) => ({ place, paths, dumps: needed })),
          ),
        ),
      ),
    ),
  );
}

function neededDumps(
  session: IndexSession,
  place: IndexedDisk,
  paths: readonly DiskPath[],
  dumps: readonly IndexedDump[],
): Observable<readonly IndexedDump[]> {
  // An index is not needed for everything.
  if (paths.some(({ escaped }) => escaped === '/')) return of(dumps);
  const date = dumps.at(-1)?.datestamp ?? '';
  return from(paths).pipe(
    concatMap((path) =>
      session.entries({ ...place, date, directory: posix.dirname(path.escaped) }).pipe(
        toArray(),
        map((entries) => newestOf(path, entries, place)),
      ),
    ),
    toArray(),
    map((found) =>
      found.some(({ escaped }) => escaped.endsWith('/'))
        ? dumps
        : dumps.filter((dump) => found.some((entry) => isOf(entry, dump))),
    ),
    takeLast(1),
  );
}

/** Entries come in the order of their levels. */
function newestOf(
  path: DiskPath,
  entries: readonly IndexedEntry[],
  place: IndexedDisk,
): IndexedEntry {
  const entry = entries.findLast(
    ({ escaped }) => escaped === path.escaped || escaped === `${path.escaped}/`,
  );
  if (entry === undefined) throw notInIndex(path.shown, place);
  return entry;
}

function isOf({ dump }: IndexedEntry, { datestamp, level }: IndexedDump): boolean {
  return dump.datestamp === datestamp && dump.level === level;
}
