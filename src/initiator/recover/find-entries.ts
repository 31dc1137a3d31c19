import { EMPTY, Observable, concatMap, defer, filter, from, tap, toArray } from 'rxjs';
import type { IndexedDump, IndexedEntry } from './index-entries.js';
import type { IndexedDisk, IndexSession } from './index-session.js';

/**
 * Finds the entries of all dumps of a disk whose path matches, the newest dump first.
 *
 *     out  ---e-e----e-|        e: an entry; those of the newest dump come first
 *
 * The server lists a dump together with those that it builds on, so those are not asked for again.
 * Errors as {@link IndexSession.entries} does.
 *
 * @example
 * ```ts
 * import { bsdtcp, connect, findEntries, globMatcher, index } from 'rx-amanda';
 *
 * const place = { host: 'db1.example.com', disk: '/etc' };
 * const matches = globMatcher('*.conf');
 *
 * connect(bsdtcp({ host: 'server.example.com' }))
 *   .pipe(index({ config: 'daily' }, (session) => findEntries(session, place, matches)))
 *   .subscribe(({ path, dump }) => console.log(dump.datestamp, path));
 * ```
 */
export function findEntries(
  session: IndexSession,
  place: IndexedDisk,
  matches: (path: string) => boolean,
): Observable<IndexedEntry> {
  return defer(() => {
    const listed = new Set<string>();
    return session.dumps(place).pipe(
      toArray(),
      concatMap((dumps) => from(dumps)),
      concatMap(({ datestamp, level }) => {
        if (listed.has(keyOf({ datestamp, level }))) return EMPTY;
        const fresh = new Set<string>();
        return session.entries({ ...place, date: datestamp }, { recursive: true }).pipe(
          filter(({ dump }) => !listed.has(keyOf(dump))),
          tap({
            next: ({ dump }) => fresh.add(keyOf(dump)),
            complete: () => {
              for (const key of fresh) listed.add(key);
            },
          }),
          filter(({ path }) => matches(path)),
        );
      }),
    );
  });
}

function keyOf({ datestamp, level }: Pick<IndexedDump, 'datestamp' | 'level'>): string {
  return `${datestamp}/${level}`;
}

/**
 * A test for paths by a glob. `*` and `?` stand for characters of a name, `**` for any folders, and
 * `[a-z]` for one of these characters. `\` makes the next character plain. A pattern without `/`
 * is for the last part of a path.
 */
export function globMatcher(pattern: string): (path: string) => boolean {
  const anchored = pattern.includes('/') ? pattern.replace(/^(?!\/)/, '/') : `/**/${pattern}`;
  const source = anchored.replace(
    /\\([^])|\/\*\*(?=\/)|\*\*|\*|\?|\[!?\]?[^\]]*\]|[.+^${}()|[\]\\]/g,
    (token, escaped?: string) => {
      if (escaped !== undefined) return escaped.replace(/[^\w]/, '\\$&');
      if (token === '/**') return '(?:/[^/]+)*';
      if (token === '**') return '.*';
      if (token === '*') return '[^/]*';
      if (token === '?') return '[^/]';
      if (token.startsWith('[') && token.length > 2)
        return `[${token
          .slice(1, -1)
          .replace(/^!/, '^')
          .replace(/[\\\]]/g, '\\$&')}]`;
      return `\\${token}`;
    },
  );
  const test = new RegExp(`^${source}$`, 'su');
  return (path) => test.test(path.replace(/(?<=.)\/$/, ''));
}
