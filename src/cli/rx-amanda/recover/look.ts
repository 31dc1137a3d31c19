import { posix } from 'node:path';
import { EMPTY, concat, concatMap, defer, filter, from, map, tap, toArray } from 'rxjs';
import type { Observable } from 'rxjs';
import { findEntries, globMatcher } from '../../../initiator/recover/find-entries.js';
import type { IndexedEntry } from '../../../initiator/recover/index-entries.js';
import { formatVolumes } from '../../../initiator/recover/index-entries.js';
import type { IndexedDisk, IndexSession } from '../../../initiator/recover/index-session.js';
import { AmandaError } from '../../../wire/errors.js';
import type { Output } from '../output.js';
import type { DiskPath } from './disk-path.js';
import { chooseDate, shownDate } from './recover-place.js';

/** A path that no dump until the date has. */
export function notInIndex(path: string, { host, disk }: IndexedDisk): AmandaError {
  return new AmandaError('SERVICE_FAILED', `The index of ${host}:${disk} has no ${path}.`);
}

/** Lists a directory as it was at a date: the newest version of each entry. */
export function listDirectory(
  session: IndexSession,
  place: IndexedDisk,
  directory: DiskPath,
  date: string | undefined,
): Observable<IndexedEntry> {
  return chooseDate(session, place, date).pipe(
    concatMap((at) => session.entries({ ...place, date: at, directory: directory.escaped })),
    toArray(),
    concatMap((entries) => {
      if (entries.length === 0) throw notInIndex(`directory ${directory.shown}`, place);
      return newestOnly(entries.filter(({ escaped }) => escaped !== `${directory.escaped}/`));
    }),
    filter(({ escaped }) => escaped !== '/'),
  );
}

/** Entries come in the order of their levels, so the last one of a path is the newest. */
export function newestOnly(entries: readonly IndexedEntry[]): IndexedEntry[] {
  const newest = new Map<string, IndexedEntry>();
  for (const entry of entries) newest.set(entry.escaped, entry);
  return [...newest.values()].sort((a, b) => (a.escaped < b.escaped ? -1 : 1));
}

/** Every dump that has a path, the newest first. */
export function historyOf(
  session: IndexSession,
  place: IndexedDisk,
  path: DiskPath,
): Observable<IndexedEntry> {
  const seen = new Set<string>();
  const directory = posix.dirname(path.escaped);
  return session.dumps(place).pipe(
    toArray(),
    concatMap((dumps) => from(dumps)),
    concatMap(({ datestamp, level }) =>
      session
        .entries({ ...place, date: datestamp, directory })
        .pipe(
          filter(
            ({ escaped, dump }) =>
              escaped.replace(/(?<=.)\/$/, '') === path.escaped &&
              dump.datestamp === datestamp &&
              dump.level === level,
          ),
        ),
    ),
    filter(({ dump }) => {
      const key = `${dump.datestamp}/${dump.level}`;
      return !seen.has(key) && seen.add(key).size > 0;
    }),
  );
}

/** Every version of every path that a glob matches, the newest dump first. */
export function findMatches(
  session: IndexSession,
  place: IndexedDisk,
  glob: string,
): Observable<IndexedEntry> {
  return findEntries(session, place, globMatcher(glob));
}

/** A line of a table of entries: date, level, path, and where the dump is. */
function entryLine({ path, escaped, dump }: IndexedEntry, withVolumes: boolean): string {
  const name = path.includes('\ufffd') ? escaped : path;
  const volumes = withVolumes ? `  ${formatVolumes(dump.volumes)}` : '';
  return `${shownDate(dump.datestamp)}  ${String(dump.level).padStart(3)}  ${name}${volumes}`;
}

function entryDocument({ path, escaped, dump }: IndexedEntry): object {
  return { path, escaped, date: dump.datestamp, level: dump.level, volumes: dump.volumes };
}

/** Prints entries as they come, or a document of all. Emits their number. */
export function printEntries(
  place: IndexedDisk,
  entries: Observable<IndexedEntry>,
  output: Output,
  { withVolumes = false }: { readonly withVolumes?: boolean } = {},
): Observable<number> {
  return defer(() => {
    const documents: object[] = [];
    let count = 0;
    return concat(
      entries.pipe(
        tap((entry) => {
          count++;
          if (output.mode.json) documents.push(entryDocument(entry));
          else output.result({}, [entryLine(entry, withVolumes)]);
        }),
        concatMap(() => EMPTY),
      ),
      defer(() => {
        if (output.mode.json) output.result({ ...place, entries: documents }, []);
        return [count];
      }),
    );
  }).pipe(map((count) => count));
}
