import { concatMap, map, tap, type Observable } from 'rxjs';
import type { IndexedEntry } from '../../../initiator/recover/index-entries.js';
import { index, type IndexedDisk } from '../../../initiator/recover/index-session.js';
import type { IndexSession } from '../../../initiator/recover/index-session.js';
import { takePositionals, UsageError } from '../../terminal/arguments.js';
import { exitCodes } from '../../terminal/exit.js';
import type { Output } from '../output.js';
import { parseDiskPath } from './disk-path.js';
import { findMatches, historyOf, listDirectory, printEntries } from './look.js';
import { choosePlace, parseDate } from './recover-place.js';
import type { ChosenServer, RecoverValues } from './recover-options.js';

export type LookVerb = 'ls' | 'find' | 'history';

type Look = (session: IndexSession, place: IndexedDisk) => Observable<IndexedEntry>;

/** Runs `ls`, `find` or `history`. Emits the exit code: 1 when find or history has nothing. */
export function runLook(
  verb: LookVerb,
  words: readonly string[],
  values: RecoverValues,
  server: () => ChosenServer,
  output: Output,
): Observable<number> {
  const look = lookOf(verb, words, parseDate(values.date), values.escaped === true);
  const { config, connections, timing, silence } = server();
  return connections.pipe(
    index({ config, ...(silence === undefined ? {} : { silence }), ...timing }, (session) =>
      choosePlace(session, values).pipe(
        concatMap((place) =>
          printEntries(place, look(session, place), output, { withVolumes: verb === 'history' }),
        ),
      ),
    ),
    tap((count) => {
      if (count === 0) output.note('the index has nothing of it.');
    }),
    map((count) => (count > 0 || verb === 'ls' ? exitCodes.success : exitCodes.failed)),
  );
}

function lookOf(
  verb: LookVerb,
  words: readonly string[],
  date: string | undefined,
  isEscaped: boolean,
): Look {
  if (verb === 'ls') {
    const [path = '/'] = takePositionals(words.length === 0 ? ['/'] : words, ['PATH']);
    const directory = parseDiskPath(path, isEscaped);
    return (session, place) => listDirectory(session, place, directory, date);
  }
  const [word = ''] = takePositionals(words, [verb === 'find' ? 'GLOB' : 'PATH']);
  if (date !== undefined)
    throw new UsageError(`--date is for ls and get; ${verb} looks at all dates.`);
  if (verb === 'find') return (session, place) => findMatches(session, place, word);
  const path = parseDiskPath(word, isEscaped);
  return (session, place) => historyOf(session, place, path);
}
