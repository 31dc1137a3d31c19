import { from, map, tap } from 'rxjs';
import { printable } from '../../../wire/text.js';
import { UsageError, parseArguments, takePositionals } from '../../terminal/arguments.js';
import { exitCodes } from '../../terminal/exit.js';
import { didYouMean } from '../../terminal/suggest.js';
import type { CliCommand } from '../command.js';
import { describedOptions } from './described-options.js';
import { completionFor, shells, type CompletedCommand } from './shell-scripts.js';

const options = { help: { type: 'boolean', short: 'h' } } as const;

type Loaders = ReadonlyMap<string, () => Promise<CliCommand>>;

/** `rx-amanda completion`: the script that completes its words in a shell. */
export function completionCommand(commands: () => Loaders): CliCommand {
  return {
    summary: 'print the completion for bash, zsh or fish',
    options,
    help: `Usage: rx-amanda completion bash|zsh|fish

Prints the script by which a shell completes the words of rx-amanda:
  bash   echo 'source <(rx-amanda completion bash)' >> ~/.bashrc
  zsh    rx-amanda completion zsh > a folder of $fpath, as _rx-amanda
  fish   rx-amanda completion fish > ~/.config/fish/completions/rx-amanda.fish

  --help, -h    this text

Exit code:
  0    success
  2    wrong usage
`,
    run(args, output) {
      const { positionals } = parseArguments(args, options);
      const [word = ''] = takePositionals(positionals, ['SHELL']);
      const shell = shells.find((known) => known === word);
      if (shell === undefined)
        throw new UsageError(
          `SHELL is bash, zsh or fish, not "${printable(word)}".${didYouMean(word, shells)}`,
        );
      return from(completedCommands(commands())).pipe(
        tap((all) => {
          output.escaped(completionFor(shell, all));
        }),
        map(() => exitCodes.success),
      );
    },
  };
}

/** The commands with their options. */
export function completedCommands(commands: Loaders): Promise<readonly CompletedCommand[]> {
  return Promise.all(
    [...commands].map(async ([name, load]) => {
      const command = await load();
      return { name, summary: command.summary, options: describedOptions(command) };
    }),
  );
}
