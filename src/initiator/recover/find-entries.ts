import { Observable, concatMap, filter, from, toArray } from 'rxjs';
import type { IndexedEntry } from './index-entries.js';
import type { IndexedDisk, IndexSession } from './index-session.js';

/**
 * Finds the entries of all dumps of a disk whose path matches, the newest dump first.
 *
 *     out  ---e-e----e-|        e: an entry; those of the newest dump come first
 *
 * Asks for each dump, because a server hides the older version of a path. Errors as
 * {@link IndexSession.entries} does.
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
  return session.dumps(place).pipe(
    toArray(),
    concatMap((dumps) => from(dumps)),
    concatMap(({ datestamp, level }) =>
      session
        .entries({ ...place, date: datestamp }, { recursive: true })
        .pipe(
          filter(
            ({ dump, path }) =>
              dump.datestamp === datestamp && dump.level === level && matches(path),
          ),
        ),
    ),
  );
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
