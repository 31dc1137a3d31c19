import { NEVER, catchError, defer, firstValueFrom, map, merge, of, takeLast, type Observable } from 'rxjs';
import { printable } from '../wire/text.js';
import { InterruptedError, UsageError } from './arguments.js';
import type { Command } from './command.js';
import { demoCommand } from './demo.js';
import { drawCommand } from './draw.js';
import { dumpCommand } from './dump.js';
import { exitCodeOf, exitCodes, exitCodesHelp } from './exit.js';
import { noopCommand } from './noop.js';
import { Output } from './output.js';
import { serviceCommand } from './service.js';
import type { Surroundings } from './surroundings.js';
import { tapCommand } from './tap.js';
import { packageVersion } from './version.js';

const commands: ReadonlyMap<string, Command> = new Map([
  ['noop', noopCommand],
  ['service', serviceCommand],
  ['dump', dumpCommand],
  ['demo', demoCommand],
  ['tap', tapCommand],
  ['draw', drawCommand],
]);

const help = `Usage: rx-amanda COMMAND [OPTION…] [WORD…]

Talks to targets of the Amanda backup system.

Commands:
${[...commands].map(([name, { summary }]) => `  ${name.padEnd(9)} ${summary}`).join('\n')}

  --version  the version of this program
  --help     this text; behind a command, what that command takes

${exitCodesHelp}
`;

/** `rx-amanda`: runs the command that the words name. Resolves to the exit code, when everything is done or cancelled; never rejects. */
export function main(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const own = beforeDashes(words);
  const endsItself = commands.get(words[0] ?? '')?.endsItself === true;
  const output = new Output(surroundings, { json: !endsItself && own.includes('--json'), debug: own.includes('--debug'), quiet: asksForQuiet(own) });
  const interrupted = (endsItself ? NEVER : surroundings.interrupted).pipe(
    map((code) => {
      output.failure(new InterruptedError());
      return code;
    }),
  );
  const done = merge(
    // The last value: the connection ends in good order before the program does.
    defer(() => run(words, output, surroundings)).pipe(takeLast(1)),
    interrupted,
  ).pipe(
    catchError((error: unknown) => {
      output.failure(error);
      return of(exitCodeOf(error));
    }),
  );
  return firstValueFrom(done, { defaultValue: exitCodes.failed });
}

function run([name, ...words]: readonly string[], output: Output, surroundings: Surroundings): Observable<number> {
  const say = (text: string): Observable<number> => {
    surroundings.stdout.write(text);
    return of(exitCodes.success);
  };
  if (name === '--version') return say(`rx-amanda ${packageVersion()}\n`);
  if (name === '--help' || name === '-h' || name === 'help') return say(help);
  if (name === undefined) throw new UsageError('A command is missing; rx-amanda --help lists them.');
  const command = commands.get(name);
  if (command === undefined) throw new UsageError(`There is no command "${printable(name)}"; rx-amanda --help lists them.`);
  return asksForHelp(beforeDashes(words)) ? say(command.help) : command.run(words, output, surroundings);
}

/** What stands behind `--` is not for us. */
function beforeDashes(words: readonly string[]): readonly string[] {
  const dashes = words.indexOf('--');
  return dashes === -1 ? words : words.slice(0, dashes);
}

function asksForHelp(words: readonly string[]): boolean {
  return words.includes('--help') || words.includes('-h');
}

function asksForQuiet(words: readonly string[]): boolean {
  return words.includes('--quiet') || words.includes('-q');
}
