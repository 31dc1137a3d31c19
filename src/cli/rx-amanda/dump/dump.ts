import { resolve } from 'node:path';
import { map, tap } from 'rxjs';
import type { Dle } from '../../../wire/dle.js';
import {
  parseArguments,
  takePositionals,
  UsageError,
  wholeNumber,
} from '../../terminal/arguments.js';
import { STDOUT, backUp, backupDocument, backupLines, type Backup } from './backup.js';
import type { CliCommand } from '../command.js';
import { chooseConfigured, configOptions, configOptionsHelp } from '../configured.js';
import { exitCodes, exitCodesHelp } from '../../terminal/exit.js';
import { connectTarget } from '../connect-target.js';
import type { Output } from '../output.js';
import type { SideFiles } from './side-files.js';
import { targetOptions, targetOptionsHelp } from '../target.js';

const options = {
  ...targetOptions,
  ...configOptions,
  // Unlike in other commands, -o is the output file.
  option: { type: 'string', multiple: true },
  output: { type: 'string', short: 'o' },
  'index-file': { type: 'string' },
  'state-file': { type: 'string' },
  device: { type: 'string' },
  level: { type: 'string' },
  program: { type: 'string' },
  record: { type: 'boolean' },
  'no-index': { type: 'boolean' },
  force: { type: 'boolean' },
} as const;

/** `rx-amanda dump`: backs up a disk of a target into an Amanda dump file. */
export const dumpCommand: CliCommand = {
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
  --index-file FILE       write that list there, as it came
  --state-file FILE       write there what the target needs for restoring single
                          files; most programs send none

${targetOptionsHelp}

${configOptionsHelp}

Here --timeout is also how long the dump may be silent; default 30 minutes, or
the configuration's dtimeout. A disklist's entry for DISK names the device, too.

${exitCodesHelp}
`,
  run(args, output, environment) {
    const { values, positionals } = parseArguments(args, options);
    const [host = '', disk = ''] = takePositionals(positionals, ['HOST', 'DISK']);
    const { output: destination, program = 'GNUTAR', force = false, record = false } = values;
    if (destination === undefined || destination === '')
      throw new UsageError('-o FILE is missing; -o - is standard output.');
    if (destination === STDOUT && environment.stdout.isTTY === true)
      throw new UsageError('A dump is nothing for a terminal; give a file with -o FILE.');
    if (destination === STDOUT && output.mode.json)
      throw new UsageError('-o - and --json both want standard output.');
    if (disk === '') throw new UsageError('DISK is empty.');
    const sideFiles = chooseSideFiles(values, destination);
    const { target, entry } = chooseConfigured(host, disk, values, output, environment);
    const device = values.device ?? (entry?.disk === disk ? entry.device : undefined);
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
    const plan = {
      host,
      dle,
      destination,
      overwrite: force,
      timeout: target.timeout,
      settings: target.settings,
      sideFiles,
    };
    return backUp(
      connectTarget(target, values, output, environment),
      plan,
      output,
      environment,
    ).pipe(
      tap((backup) => {
        if (destination !== STDOUT) output.result(backupDocument(backup), backupLines(backup));
        else for (const line of backupLines(backup)) output.note(line.trim());
        noteMissingState(backup, sideFiles, output);
      }),
      map(() => exitCodes.success),
    );
  },
};

function chooseSideFiles(
  values: {
    readonly 'index-file'?: string | undefined;
    readonly 'state-file'?: string | undefined;
    readonly 'no-index'?: boolean | undefined;
  },
  image: string,
): SideFiles {
  const { 'index-file': index, 'state-file': state } = values;
  if (index !== undefined && values['no-index'] === true)
    throw new UsageError('--index-file and --no-index cannot be combined.');
  if ([index, state].some((name) => name === '' || name === STDOUT))
    throw new UsageError('--index-file and --state-file each take the name of a file.');
  const names = [index, state, image]
    .filter((name) => name !== undefined && name !== STDOUT)
    .map((name) => resolve(name ?? ''));
  if (new Set(names).size < names.length)
    throw new UsageError('The dump, its index and its state each need a file of their own.');
  return { index, state };
}

/** Notes that the target sent no state. A missing index, in contrast, fails the dump. */
function noteMissingState({ dump }: Backup, { state }: SideFiles, output: Output): void {
  if (state !== undefined && dump.state === undefined)
    output.note(`the target sent no state, so there is no ${state}.`);
}
