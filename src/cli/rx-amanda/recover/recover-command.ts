import { printable } from '../../../wire/text.js';
import { parseArguments, UsageError } from '../../terminal/arguments.js';
import { didYouMean } from '../../terminal/suggest.js';
import type { CliCommand } from '../command.js';
import { runGet } from './get-verb.js';
import { runLook } from './look-verbs.js';
import {
  chooseServer,
  imageHelp,
  reachingHelp,
  recoverOptions,
  serverHelp,
} from './recover-options.js';

/** `rx-amanda recover`: finds what a server has backed up, and brings it back. */
export const recoverCommand: CliCommand = {
  summary: 'find what a server has backed up, and get it back',
  options: recoverOptions,
  help: `Usage: rx-amanda recover SERVER --config NAME [OPTION…] ls [PATH]
       rx-amanda recover SERVER --config NAME [OPTION…] find GLOB
       rx-amanda recover SERVER --config NAME [OPTION…] history PATH
       rx-amanda recover SERVER --config NAME [OPTION…] get PATH… -C DIR

Looks into the index of an Amanda server, and restores from its volumes. A PATH
begins at the root of the disk.

  ls [PATH]               what a directory had: the newest version of each entry
  find GLOB               every version of the paths that match, newest first. *
                          and ? stand for parts of a name, ** for any folders; a
                          GLOB without / is for the name alone
  history PATH            every dump that has the path, and where the dump is
  get PATH…               restore; / is the whole disk. A directory comes back as
                          it was at the date, from the full dump and those after
                          it. A file comes from the newest dump that has it

What to look at:
${serverHelp}
  --escaped               PATH is as --json has "escaped": \\303\\274 for the bytes
                          of ü, \\\\ for a backslash

Where to restore:
  --directory, -C DIR     into this folder, below which PATH has its place. Needs
                          GNU tar. All is unpacked in a private folder first, and
                          then moved into place. Nothing is written outside DIR
  --overwrite             replace existing files; by default they stay, and the
                          exit code is 1
  --into -                write a tar archive to standard output instead
  --raw                   with --into -: the image as the server sends it
  --dry-run               only say which dumps are needed
${imageHelp}

${reachingHelp}`,
  run(args, output, environment) {
    const { values, positionals } = parseArguments(args, recoverOptions);
    const [place, verb, ...words] = positionals;
    const server = () => chooseServer(place, values, output, environment);
    if (place === undefined) throw new UsageError('SERVER is missing.');
    switch (verb) {
      case 'ls':
      case 'find':
      case 'history':
        return runLook(verb, words, values, server, output);
      case 'get':
        return runGet(words, values, server, output, environment);
      case undefined:
        throw new UsageError('ls, find, history or get is missing after SERVER.');
      default:
        throw new UsageError(
          `There is no "${printable(verb)}"; there are ls, find, history and get.` +
            didYouMean(verb, ['ls', 'find', 'history', 'get']),
        );
    }
  },
};
