import { accessSync, constants, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { readAmandahosts } from '../../access/amandahosts-file.js';
import { amandaServicesNamed } from '../../target/process/amanda-service-names.js';
import { whyNotExecutable } from '../../target/process/executable.js';
import { messageOf, printable } from '../../wire/text.js';
import { enumerate } from '../terminal/arguments.js';
import { didYouMean } from '../terminal/suggest.js';
import { amandadWords, type AmandadArguments } from './amandad-arguments.js';

/** Drivers whose requests the access file admits. */
const asksFile: ReadonlySet<string> = new Set(['bsdtcp', 'ssl', 'bsdudp', 'bsd']);

/**
 * What a daemon cannot do as it was started, a sentence each: requests would be refused. It runs as
 * the user that it stays.
 */
export function startNotes(args: AmandadArguments): readonly string[] {
  const { unknown } = args;
  if (unknown !== undefined)
    return [
      `"${printable(unknown)}" is no argument of rx-amandad, so every request is refused.` +
        didYouMean(unknown, amandadWords()),
    ];
  return [...executableNotes(args), ...listNotes(args), ...accessNotes(args)];
}

function executableNotes({ services, auth, own, libexec }: AmandadArguments): readonly string[] {
  // Without words the list has services that few installations have.
  const names = amandaServicesNamed(services.length === 0 ? ['amdump'] : services, auth);
  const missing = [...new Set(names)].filter(
    (name) =>
      !(own && (name === 'noop' || name === 'sendbackup')) &&
      whyNotExecutable(`${libexec}/${name}`) !== undefined,
  );
  if (missing.length === 0) return [];
  return [
    `${printable(libexec)} has no program ${enumerate(missing)} that this user may run, ` +
      'so requests for it are refused; see -libexec.',
  ];
}

function listNotes({ own, lists }: AmandadArguments): readonly string[] {
  if (!own || lists === undefined) return [];
  try {
    if (!statSync(lists).isDirectory()) return [`${printable(lists)} is no folder; see -lists.`];
    accessSync(lists, constants.R_OK | constants.W_OK | constants.X_OK);
    return [];
  } catch (error) {
    return [`Dumps fail, because -lists is not usable: ${messageOf(error)}.`];
  }
}

function accessNotes({ auth, amandahosts }: AmandadArguments): readonly string[] {
  if (!asksFile.has(auth)) return [];
  try {
    const { uid, homedir } = userInfo();
    const read = readAmandahosts(amandahosts ?? `${homedir}/.amandahosts`, { owner: uid });
    return read.kind === 'refused' ? [`As it is, every request is refused: ${read.shown}.`] : [];
  } catch (error) {
    return [`As it is, every request is refused: ${messageOf(error)}.`];
  }
}
