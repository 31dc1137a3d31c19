import { map, tap } from 'rxjs';
import type { Dle } from '../wire/dle.js';
import { sortWords, takeWords, UsageError, wholeNumber } from './arguments.js';
import { STDOUT, backUp, backupDocument, backupLines } from './backup.js';
import type { Command } from './command.js';
import { exitCodes, exitCodesHelp } from './exit.js';
import { reach } from './reach.js';
import { chooseTarget, targetOptions, targetOptionsHelp } from './target.js';

const options = {
  ...targetOptions,
  output: { type: 'string', short: 'o' },
  device: { type: 'string' },
  level: { type: 'string' },
  program: { type: 'string' },
  record: { type: 'boolean' },
  'no-index': { type: 'boolean' },
  force: { type: 'boolean' },
} as const;

/** `rx-amanda dump`: backs up a disk of a target into an Amanda dump file. */
export const dumpCommand: Command = {
  summary: 'back up a directory of a target into a file',
  help: `Usage: rx-amanda dump [OPTION…] HOST DISK -o FILE

Backs up a disk of a target into an Amanda dump file: 32 KiB of header, then
the data, as amrestore reads it, and "dd bs=32k skip=1 <FILE | tar -tf -". The
file gets its name when it is whole: everything arrived, and size and CRC are
those that the target counted. Otherwise there is no file.

The dump:
  --output, -o FILE       where it goes; - for standard output (the exit code
                          says whether it is whole)
  --force                 replace FILE if it exists
  --device DIR            what to back up when DISK is only its name
  --level N               0 (default) for all, 1 and more for what has changed
                          since the last one of a lower level
  --record                let later levels build on this dump
  --program NAME          what makes it on the target; default GNUTAR
  --no-index              do not ask for the list of its files

${targetOptionsHelp}
  Here --timeout is also how long the dump may be silent; default 30 minutes.

${exitCodesHelp}
`,
  run(words, output, surroundings) {
    const { values, positionals } = sortWords(words, options);
    const [host = '', disk = ''] = takeWords(positionals, ['HOST', 'DISK']);
    const target = chooseTarget(host, values);
    const { output: destination, device, program = 'GNUTAR', force = false, record = false } = values;
    if (destination === undefined || destination === '') throw new UsageError('-o FILE is missing; -o - is standard output.');
    if (destination === STDOUT && surroundings.stdout.isTTY === true) throw new UsageError('A dump is nothing for a terminal; give a file with -o FILE.');
    if (destination === STDOUT && output.manner.json) throw new UsageError('-o - and --json both want standard output.');
    if (disk === '') throw new UsageError('DISK is empty.');
    const dle: Dle = {
      program,
      disk,
      diskdevice: device,
      levels: [{ level: wholeNumber('--level', values.level, 0, 399) ?? 0 }],
      auth: target.auth,
      record,
      index: values['no-index'] !== true,
      datapath: { kind: 'AMANDA', addresses: [] },
    };
    const plan = { host, dle, destination, overwrite: force, timeout: target.timeout };
    return backUp(reach(target, values, output, surroundings), plan, output, surroundings).pipe(
      tap((backup) => {
        if (destination !== STDOUT) output.result(backupDocument(backup), backupLines(backup));
        else for (const line of backupLines(backup)) output.note(line.trim());
      }),
      map(() => exitCodes.success),
    );
  },
};
