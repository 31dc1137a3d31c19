import { map, tap } from 'rxjs';
import { describePeer, hostOf } from '../../transport/channel.js';
import { noop, type Noop } from '../../initiator/noop.js';
import { beforeFeatures } from '../../wire/explanations.js';
import { Features, featureNames } from '../../wire/features.js';
import { parseArguments } from '../terminal/arguments.js';
import type { CliCommand } from './command.js';
import { openConfigured, configOptions, configOptionsHelp } from './configured.js';
import { exitCodes, exitCodesHelp } from '../terminal/exit.js';
import { connectTarget } from './connect-target.js';
import { askEach, manyHostsOptions, manyHostsHelp, takeHosts } from './each-host.js';
import { callTimingFor, targetOptions, targetOptionsHelp } from './target.js';
import { formatTime } from '../terminal/units.js';

const options = {
  ...targetOptions,
  ...configOptions,
  ...manyHostsOptions,
} as const;

/** `rx-amanda noop`: is the target there, does it let us in, and what can it do? */
export const noopCommand: CliCommand = {
  summary: 'ask a target whether it is there and what it can do',
  options,
  help: `Usage: rx-amanda noop [OPTION…] HOST…

Asks a target whether it is there, lets us in, and what it can do.

${manyHostsHelp()}

${targetOptionsHelp}

${configOptionsHelp}

${exitCodesHelp}
`,
  run(args, output, environment) {
    const { values, positionals } = parseArguments(args, options);
    const { hosts } = takeHosts(positionals);
    const configured = openConfigured(values, output, environment);
    const targets = hosts.map((place) => ({ place, ...configured.choose(place) }));
    const several = targets.length > 1;
    return askEach(targets, values, output, ({ place, target }) => {
      const started = performance.now();
      return connectTarget(target, values, output, environment).pipe(
        noop(callTimingFor(target)),
        tap((answer) => {
          const milliseconds = performance.now() - started;
          output.result(
            {
              ...(several ? { host: place } : {}),
              ...documentOf(answer),
              milliseconds: Math.round(milliseconds),
            },
            linesOf(answer, milliseconds),
          );
        }),
        map(() => exitCodes.success),
      );
    });
  },
};

function documentOf({ features, reply }: Noop): object {
  const { peer } = reply.connection;
  const names = features.names();
  return {
    peer,
    features: { hex: features.toString(), count: names.length, names },
    options: Object.fromEntries(optionsOf(reply)),
  };
}

function linesOf({ features, reply }: Noop, milliseconds: number): string[] {
  const known = `${features.names().length} of the ${featureNames.length} that we know`;
  const missing = Features.amanda351.names().filter((name) => !features.has(name));
  return [
    `${describePeer(reply.connection.peer)} answers, after ${formatTime(milliseconds)}.`,
    `features  ${known}: ${features.toString()}`,
    ...(missing.length === 0 || features.names().length === 0
      ? []
      : [`missing   ${missing.length} that Amanda 3.5.1 has: ${missing.join(' ')}`]),
    ...optionsOf(reply).map(([name, value]) => `${name}  ${value}`),
    ...(features.names().length === 0 ? [beforeFeatures(hostOf(reply.connection.peer))] : []),
  ];
}

function optionsOf({ options }: Noop['reply']): [string, string][] {
  return options.entries
    .filter(({ name }) => name !== 'features')
    .map(({ name, value }) => [name, value ?? '']);
}
