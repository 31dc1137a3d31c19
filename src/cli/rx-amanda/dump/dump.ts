import { resolve } from 'node:path';
import { map, tap } from 'rxjs';
import type { Dle, DleProgram } from '../../../wire/dle/dle.js';
import { printable } from '../../../wire/text.js';
import { parseArguments, UsageError, wholeNumber } from '../../terminal/arguments.js';
import { STDOUT, backUp, backupDocument, backupLines, type Backup } from './backup.js';
import type { CliCommand } from '../command.js';
import { openConfigured, configOptions, dumpConfigHelp } from '../configured.js';
import { exitCodes, dumpExitCodesHelp } from '../../terminal/exit.js';
import { connectTarget } from '../connect-target.js';
import { askEach, manyHostsHelp, manyHostsOptions, takeHosts } from '../each-host.js';
import type { Output } from '../output.js';
import type { SideFiles } from './side-files.js';
import { targetOptions, targetOptionsHelp, type TargetChoice } from '../target.js';

const options = {
  ...targetOptions,
  ...configOptions,
  ...manyHostsOptions,
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

/** An APPLICATION needs more than a name. */
const programs = ['GNUTAR', 'DUMP', 'STAR'] as const satisfies readonly DleProgram[];

/** Dumps keep disks and networks busy, so few run at once. */
const DUMPS_AT_ONCE = 4;

/** `rx-amanda dump`: backs up a disk of a target into an Amanda dump file. */
export const dumpCommand: CliCommand = {
  summary: 'back up a directory of a target into a file',
  options,
  help: `Usage: rx-amanda dump [OPTION…] HOST… DISK -o FILE

Backs up a disk of a target into an Amanda dump file: 32 KiB of header, then
the data. It is for amrestore, or for "dd bs=32k skip=1 <FILE | tar -tf -".
The file gets its name when it is whole: everything arrived, and size and CRC
are those that the target counted. Otherwise there is no file.

The dump:
  --output, -o FILE       where it goes; - for standard output, where the exit
                          code says whether it is whole. In the name of a file
                          %h stands for HOST; several HOSTs need it
  --force                 replace FILE if it exists
  --device DIR            what to back up when DISK is only its name
  --level N               0 (default) for all, 1 and more for what has changed
                          since the last one of a lower level. If the target
                          has no record of one (--record) that is all, too
  --record                let later levels build on this dump
  --program NAME          what makes it on the target; default GNUTAR
  --no-index              do not ask for the list of its files
  --index-file FILE       write that list there, as it came
  --state-file FILE       write there what the target needs for restoring single
                          files; most programs send none

${manyHostsHelp(DUMPS_AT_ONCE)}

${targetOptionsHelp}

${dumpConfigHelp}

Here --timeout is also how long the dump may be silent; default 30 minutes, or
the configuration's dtimeout. A disklist's entry for DISK names the device, too.

${dumpExitCodesHelp}
`,
  run(args, output, environment) {
    const { values, positionals } = parseArguments(args, options);
    const {
      hosts,
      rest: [disk = ''],
    } = takeHosts(positionals, ['DISK']);
    const { output: destination, force = false } = values;
    if (destination === undefined || destination === '')
      throw new UsageError('-o FILE is missing; -o - is standard output.');
    if (destination === STDOUT && environment.stdout.isTTY === true)
      throw new UsageError('A dump is not written to a terminal; name a file with -o FILE.');
    if (destination === STDOUT && output.mode.json)
      throw new UsageError('-o - and --json both want standard output.');
    if (disk === '') throw new UsageError('DISK is empty.');
    const files = { ...chooseSideFiles(values, destination), image: destination };
    const several = hosts.length > 1;
    const shared = Object.values(files).find((name) => name !== undefined && !name.includes('%h'));
    if (several && shared !== undefined)
      throw new UsageError(
        `${printable(shared)} would be the file of every HOST; give each a file with %h in the name.`,
      );
    const configured = openConfigured(values, output, environment);
    const plans = hosts.map((place) => {
      const { target, entry } = configured.choose(place, disk);
      const device = values.device ?? (entry?.disk === disk ? entry.device : undefined);
      const dle = dleOf(values, disk, device, target);
      return { place, target, dle, ...filesOf(target, files) };
    });
    const atOnce = { parallel: values.parallel ?? String(DUMPS_AT_ONCE) };
    return askEach(plans, atOnce, output, ({ place, target, dle, image, ...sideFiles }) => {
      const { host, timeout, settings } = target;
      const plan = {
        host,
        dle,
        destination: image,
        overwrite: force,
        timeout,
        settings,
        sideFiles,
        showsProgress: !several,
      };
      return backUp(
        connectTarget(target, values, output, environment),
        plan,
        output,
        environment,
      ).pipe(
        tap((backup) => {
          const document = { ...(several ? { host: place } : {}), ...backupDocument(backup) };
          if (image !== STDOUT) output.result(document, backupLines(backup));
          else for (const line of backupLines(backup)) output.note(line.trim());
          noteMissingState(backup, sideFiles, output);
        }),
        map(() => exitCodes.success),
      );
    });
  },
};

function dleOf(
  values: {
    readonly level?: string | undefined;
    readonly program?: string | undefined;
    readonly record?: boolean | undefined;
    readonly 'no-index'?: boolean | undefined;
  },
  disk: string,
  device: string | undefined,
  { auth }: TargetChoice,
): Dle {
  return {
    program: programOf(values.program),
    disk,
    diskdevice: device,
    levels: [{ level: wholeNumber('--level', values.level, 0, 399) ?? 0 }],
    auth,
    record: values.record ?? false,
    index: values['no-index'] !== true,
    datapath: { kind: 'AMANDA', addresses: [] },
  };
}

function programOf(text = 'GNUTAR'): DleProgram {
  const program = programs.find((known) => known === text);
  if (program !== undefined) return program;
  throw new UsageError(`--program takes ${programs.join(', ')}, not "${printable(text)}".`);
}

/** The names of the files of one host. */
function filesOf(
  { host }: TargetChoice,
  { image, index, state }: SideFiles & { readonly image: string },
): SideFiles & { readonly image: string } {
  const named = (name: string): string => name.replaceAll('%h', host.replaceAll('/', '_'));
  return { image: named(image), index: index && named(index), state: state && named(state) };
}

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
