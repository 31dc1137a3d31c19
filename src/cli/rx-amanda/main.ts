import {
  NEVER,
  catchError,
  defer,
  firstValueFrom,
  from,
  map,
  merge,
  of,
  switchMap,
  takeLast,
  type Observable,
} from 'rxjs';
import { printable } from '../../wire/text.js';
import { InterruptedError, UsageError } from '../terminal/arguments.js';
import { didYouMean } from '../terminal/suggest.js';
import type { CliCommand } from './command.js';
import { exitCodeOf, exitCodes, exitCodesHelp } from '../terminal/exit.js';
import { Output } from './output.js';
import type { ProcessEnvironment } from './environment.js';
import { packageVersion } from '../version.js';

/** Commands load on demand, for a faster start and less memory. */
export const commands: ReadonlyMap<string, () => Promise<CliCommand>> = new Map([
  ['noop', async () => (await import('./noop.js')).noopCommand],
  ['doctor', async () => (await import('./doctor/doctor-command.js')).doctorCommand],
  ['check', async () => (await import('./check/check-command.js')).checkCommand],
  ['estimate', async () => (await import('./check/estimate-command.js')).estimateCommand],
  ['service', async () => (await import('./service/service.js')).serviceCommand],
  ['dump', async () => (await import('./dump/dump.js')).dumpCommand],
  ['demo', async () => (await import('./dump/demo.js')).demoCommand],
  ['recover', async () => (await import('./recover/recover-command.js')).recoverCommand],
  ['verify', async () => (await import('./verify/verify-command.js')).verifyCommand],
  ['tap', async () => (await import('./tap/tap.js')).tapCommand],
  ['draw', async () => (await import('./draw/draw.js')).drawCommand],
  [
    'completion',
    async () =>
      (await import('./completion/completion-command.js')).completionCommand(() => commands),
  ],
]);

/** Commands that end well at a signal, and whose `--json` names a file. */
const endingThemselves: ReadonlySet<string | undefined> = new Set(['tap', 'draw']);

async function help(): Promise<string> {
  const loaded = await Promise.all(
    [...commands].map(async ([name, load]) => `  ${name.padEnd(10)} ${(await load()).summary}`),
  );
  return `Usage: rx-amanda COMMAND [OPTION…] [WORD…]

Talks to targets of the Amanda backup system.

Commands:
${loaded.join('\n')}

  --version  the version of this program
  --help     this text; after a command, the options of that command

${exitCodesHelp}
The help of a command says what its exit codes mean, if it has others.
`;
}

/**
 * `rx-amanda`: runs the command that the arguments name. Resolves to the exit code when everything
 * is done or cancelled; never rejects.
 */
export function main(args: readonly string[], environment: ProcessEnvironment): Promise<number> {
  const own = beforeDashes(args);
  const endsItself = endingThemselves.has(args[0]);
  const output = new Output(environment, {
    json: !endsItself && own.includes('--json'),
    debug: own.includes('--debug'),
    quiet: asksForQuiet(own),
  });
  const interrupted = (endsItself ? NEVER : environment.interrupted).pipe(
    map((code) => {
      output.failure(new InterruptedError());
      return code;
    }),
  );
  const done = merge(
    // The last value, because the connection has to end in good order before the program does.
    defer(() => run(args, output, environment)).pipe(takeLast(1)),
    interrupted,
  ).pipe(
    catchError((error: unknown) => {
      output.failure(error);
      return of(exitCodeOf(error));
    }),
  );
  return firstValueFrom(done, { defaultValue: exitCodes.failed });
}

function run(
  [name, ...args]: readonly string[],
  output: Output,
  environment: ProcessEnvironment,
): Observable<number> {
  const say = (text: string): Observable<number> => {
    output.escaped(text);
    return of(exitCodes.success);
  };
  if (name === '--version') return say(`rx-amanda ${packageVersion()}\n`);
  if (name === '--help' || name === '-h' || name === 'help')
    return from(help()).pipe(switchMap(say));
  if (name === undefined)
    throw new UsageError('A command is missing; rx-amanda --help lists them.');
  const load = commands.get(name);
  if (load === undefined)
    throw new UsageError(
      `There is no command "${printable(name)}"; rx-amanda --help lists them.` +
        didYouMean(name, commands.keys()),
    );
  return from(load()).pipe(
    switchMap((command) =>
      asksForHelp(beforeDashes(args)) ? say(command.help) : command.run(args, output, environment),
    ),
  );
}

/** The arguments before `--`. The others belong to another program. */
function beforeDashes(args: readonly string[]): readonly string[] {
  const dashes = args.indexOf('--');
  return dashes === -1 ? args : args.slice(0, dashes);
}

function asksForHelp(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h');
}

function asksForQuiet(args: readonly string[]): boolean {
  return args.includes('--quiet') || args.includes('-q');
}
