import { concatMap, map, type Observable } from 'rxjs';
import { index, type IndexedDisk } from '../../../initiator/recover/index-session.js';
import type { IndexSession } from '../../../initiator/recover/index-session.js';
import type { IndexedEntry } from '../../../initiator/recover/index-entries.js';
import { printable } from '../../../wire/text.js';
import { parseArguments, takePositionals, UsageError } from '../../terminal/arguments.js';
import { exitCodes, exitCodesHelp } from '../../terminal/exit.js';
import { didYouMean } from '../../terminal/suggest.js';
import type { CliCommand } from '../command.js';
import { chooseConfigured, configOptions } from '../configured.js';
import { connectTarget } from '../connect-target.js';
import { targetOptions, targetOptionsHelp, timingFor } from '../target.js';
import { parseDiskPath } from './disk-path.js';
import { findMatches, historyOf, listDirectory, printEntries } from './look.js';
import { choosePlace, parseDate } from './recover-place.js';

const options = {
  ...targetOptions,
  config: configOptions.config,
  option: configOptions.option,
  'no-config': configOptions['no-config'],
  host: { type: 'string' },
  disk: { type: 'string' },
  date: { type: 'string' },
  escaped: { type: 'boolean' },
} as const;

/** What may follow SERVER, with the words that it takes. */
const verbs: ReadonlyMap<string, readonly string[]> = new Map([
  ['ls', ['PATH']],
  ['find', ['GLOB']],
  ['history', ['PATH']],
]);

/** `rx-amanda recover`: what a server has backed up. */
export const recoverCommand: CliCommand = {
  summary: 'look for what a server has backed up',
  help: `Usage: rx-amanda recover SERVER --config NAME [OPTION…] ls [PATH]
       rx-amanda recover SERVER --config NAME [OPTION…] find GLOB
       rx-amanda recover SERVER --config NAME [OPTION…] history PATH

Looks into the index of an Amanda server. A PATH begins at the root of the disk.

  ls [PATH]               what a directory had: the newest version of each entry
  find GLOB               every version of the paths that match, newest first. *
                          and ? stand for parts of a name, ** for any folders; a
                          GLOB without / is for the name alone
  history PATH            every dump that has the path, and where the dump is

What to look at:
  --config NAME           the configuration on the server
  --host HOST             whose dumps; default this host, or the only one
  --disk DISK             as the disklist of the server names it; default the
                          only one
  --date YYYY-MM-DD       as it was at the end of that day; -hh-mm-ss may follow.
                          Default: as the newest dump has it
  --escaped               PATH is as --json has "escaped": \\303\\274 for the bytes
                          of ü, \\\\ for a backslash

${targetOptionsHelp}
  --option KEY=VALUE      set a key of amanda-client.conf; repeatable
  --no-config             do not read /etc/amanda/amanda-client.conf

Here HOST in "Reaching the host" is SERVER, and may be SERVER:PORT.

${exitCodesHelp}
`,
  run(args, output, environment) {
    const { values, positionals } = parseArguments(args, options);
    const [server = '', verb, ...words] = positionals;
    if (server === '') throw new UsageError('SERVER is missing.');
    const { config, ...reaching } = values;
    if (config === undefined || config === '')
      throw new UsageError('--config NAME is missing: the configuration on the server.');
    const date = parseDate(values.date);
    const look = lookOf(verb, words, date, values.escaped === true);
    const { target } = chooseConfigured(server, undefined, reaching, output, environment);
    const silence = target.timeout === undefined ? {} : { silence: target.timeout };
    return connectTarget(target, values, output, environment).pipe(
      index({ config, ...silence, ...timingFor(target.timeout, target.settings) }, (session) =>
        choosePlace(session, values).pipe(
          concatMap((place) =>
            printEntries(place, look(session, place), output, {
              withVolumes: verb === 'history',
            }),
          ),
        ),
      ),
      map((count) => (count > 0 || verb === 'ls' ? exitCodes.success : exitCodes.failed)),
    );
  },
};

type Look = (session: IndexSession, place: IndexedDisk) => Observable<IndexedEntry>;

function lookOf(
  verb: string | undefined,
  words: readonly string[],
  date: string | undefined,
  isEscaped: boolean,
): Look {
  const names = verbs.get(verb ?? '');
  if (verb === undefined) throw new UsageError('ls, find or history is missing after SERVER.');
  if (names === undefined)
    throw new UsageError(
      `There is no "${printable(verb)}"; there are ls, find and history.` +
        didYouMean(verb, verbs.keys()),
    );
  if (verb === 'ls') {
    const [path = '/'] = takePositionals(words.length === 0 ? ['/'] : words, names);
    const directory = parseDiskPath(path, isEscaped);
    return (session, place) => listDirectory(session, place, directory, date);
  }
  const [word = ''] = takePositionals(words, names);
  if (date !== undefined) throw new UsageError(`--date is for ls; ${verb} looks at all dates.`);
  if (verb === 'find') return (session, place) => findMatches(session, place, word);
  const path = parseDiskPath(word, isEscaped);
  return (session, place) => historyOf(session, place, path);
}
