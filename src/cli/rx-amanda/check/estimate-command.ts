import {
  catchError,
  concat,
  defer,
  filter,
  finalize,
  from,
  map,
  of,
  throwError,
  type Observable,
} from 'rxjs';
import { sendsize, type Estimate } from '../../../initiator/sendsize.js';
import { UsageError, parseArguments, wholeNumber } from '../../terminal/arguments.js';
import { count, formatBytes, formatTime } from '../../terminal/units.js';
import type { CliCommand } from '../command.js';
import { configOptions, configOptionsHelp, openConfigured } from '../configured.js';
import { manyHostsHelp, manyHostsOptions } from '../each-host.js';
import {
  estimateTimingFor,
  secondsForEstimates,
  targetOptions,
  targetOptionsHelp,
  type TargetChoice,
} from '../target.js';
import { askHost, type Unasked } from './ask-host.js';
import { chooseHosts, diskOptions, type AskedHost } from './choose-hosts.js';
import { ASKED_AT_ONCE, printTable, widthOf, type FleetRow } from './fleet-table.js';

const options = {
  ...targetOptions,
  ...configOptions,
  ...manyHostsOptions,
  ...diskOptions,
  level: { type: 'string', multiple: true },
} as const;

/** `rx-amanda estimate`: how large would the dumps be, as planner would ask? */
export const estimateCommand: CliCommand = {
  summary: 'ask targets how large the dumps of their disks would be',
  options,
  help: `Usage: rx-amanda estimate [OPTION…] HOST… --disk NAME
       rx-amanda estimate [OPTION…] --config NAME [HOST…]

Asks targets how large dumps would be, as planner does. Prints a line for each
estimate when it comes, and at the end how long it took and what etimeout gives.
With --config, the hosts and their disks are those of its disklist.

The estimate:
  --disk NAME             estimate this disk only; repeatable. Without --config
                          it is a directory, and GNU tar is to dump it
  --level N               0 (default) for a full dump, 1 to 399 for what has
                          changed since the last one of a lower level; repeatable

${manyHostsHelp(ASKED_AT_ONCE)}

${targetOptionsHelp}

${configOptionsHelp}

Here --timeout is also how long estimates may take; default etimeout of the
configuration, which is for each level of each disk.

Exit code:
  0    every estimate came
  1    a target has no estimate of a disk, or refused
  2    wrong usage
  3    a target gave no answer in time, or the connection was lost
  130  interrupted
`,
  run(args, output, environment) {
    const { values, positionals } = parseArguments(args, options);
    const levels = levelsOf(values.level);
    const hosts = chooseHosts(positionals, values, openConfigured(values, output, environment));
    if (hosts.every(({ disks }) => disks.length === 0))
      throw new UsageError(
        '--disk NAME is missing; --config NAME takes the disks of its disklist.',
      );
    const progress = new EstimateProgress();
    const disks = hosts.flatMap((host) => host.disks.map(({ disk }) => disk));
    const table = {
      widths: [widthOf([...disks, 'NO ANSWER']), LEVEL, SIZE],
      parallel: values.parallel,
      failed: (label: string, sentence: string, host: AskedHost) => {
        const came = progress.cameFrom(host);
        const before = `${came} of ${count(host.disks.length * levels.length, 'estimate')} came: `;
        return [label, '', '', came === 0 ? sentence : `${before}${sentence}`];
      },
      summary: () => progress.lines(),
    };
    return printTable(hosts, output, table, (host) =>
      rowsOf(
        askHost(host, values, output, environment, ({ dles, call }) =>
          sendsize({
            ...call,
            dles: dles.map((dle) => ({
              ...dle,
              levels: levels.map((level) => ({ level })),
              spindle: host.disks.find(({ disk }) => disk === dle.disk)?.spindle ?? -1,
            })),
            ...estimateTimingFor(host.target, dles.length * levels.length),
          }),
        ),
        host,
        host.disks.length * levels.length,
        progress,
      ),
    );
  },
};

/** The widths of the columns of levels and sizes. */
const LEVEL = 'level 399'.length;
const SIZE = '1023 KiB'.length;

function levelsOf(words: readonly string[] = ['0']): readonly number[] {
  return [...new Set(words.map((word) => wholeNumber('--level', word, 0, 399) ?? 0))];
}

/** Amanda's `etimeout` in seconds. */
const DEFAULT_ETIMEOUT = 300;
/** Estimates that take more than this share of etimeout may soon take too long. */
const CLOSE = 0.5;

function limitOf({ settings: { etimeout } = {} }: TargetChoice, estimates: number): number {
  return secondsForEstimates(etimeout?.value ?? DEFAULT_ETIMEOUT, estimates);
}

/** How many estimates came from each host, and the host that took the largest share of etimeout. */
class EstimateProgress {
  readonly #came = new Map<AskedHost, number>();
  #share = 0;
  #longest: string | undefined;

  count(host: AskedHost): void {
    this.#came.set(host, this.cameFrom(host) + 1);
  }

  cameFrom(host: AskedHost): number {
    return this.#came.get(host) ?? 0;
  }

  end({ place }: AskedHost, seconds: number, limit: number): void {
    if (seconds / limit <= this.#share) return;
    this.#share = seconds / limit;
    this.#longest = `Longest: ${place}, ${timeOf(seconds, limit)}.`;
  }

  lines(): readonly string[] {
    return this.#longest === undefined ? [] : [this.#longest];
  }
}

/** `12.3 s, 1 % of the 900 s of etimeout`. */
function timeOf(seconds: number, limit: number): string {
  const percent = (100 * seconds) / limit;
  const share = percent < 1 ? 'less than 1 %' : `${Math.round(percent)} %`;
  return `${formatTime(seconds * 1_000)}, ${share} of the ${limit} s of etimeout`;
}

/** A row for each estimate when it comes, and one for a host that takes long. */
function rowsOf(
  estimates: Observable<Unasked | Estimate>,
  host: AskedHost,
  asked: number,
  progress: EstimateProgress,
): Observable<FleetRow> {
  return defer(() => {
    const started = performance.now();
    const limit = limitOf(host.target, asked);
    return concat(
      estimates.pipe(
        holdMissing,
        map((estimate) => {
          if (estimate.kind === 'unasked') return unaskedRow(estimate);
          if (estimate.kind === 'size') progress.count(host);
          return rowOf(estimate, performance.now() - started);
        }),
      ),
      defer(() => of(endRow(progress.cameFrom(host), asked, secondsSince(started), limit))),
    ).pipe(
      finalize(() => {
        progress.end(host, secondsSince(started), limit);
      }),
    );
  });
}

/**
 * Lets an estimate that is missing pass at the end, and not at all if its error comes, too:
 * sendsize tells both.
 */
function holdMissing<T extends Unasked | Estimate>(estimates: Observable<T>): Observable<T> {
  return defer(() => {
    const missing = new Map<string, T>();
    const failed = new Set<string>();
    const held = defer(() => from(missing.values()));
    return concat(
      estimates.pipe(
        filter((estimate) => {
          if (estimate.kind === 'unasked') return true;
          const key = `${estimate.level} ${estimate.disk}`;
          if (estimate.kind === 'error') failed.add(key);
          if (estimate.kind !== 'none') missing.delete(key);
          else if (!failed.has(key)) missing.set(key, estimate);
          return estimate.kind !== 'none';
        }),
        catchError((error: unknown) =>
          concat(
            held,
            throwError(() => error),
          ),
        ),
      ),
      held,
    );
  });
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1_000;
}

function rowOf(estimate: Estimate, milliseconds: number): FleetRow {
  const { kind, disk, level, ...answer } = estimate;
  return {
    isProblem: kind === 'error' || kind === 'none',
    cells: [disk, `level ${level}`, ...answerCells(estimate, milliseconds)],
    document: { kind, disk, level, ...answer, milliseconds: Math.round(milliseconds) },
  };
}

function answerCells(estimate: Estimate, milliseconds: number): readonly string[] {
  switch (estimate.kind) {
    case 'size':
      return [
        formatBytes(estimate.kilobytes * 1_024).padStart(SIZE),
        `after ${formatTime(milliseconds)}`,
      ];
    case 'none':
      return ['none', 'the target has no estimate'];
    case 'error':
      return ['ERROR', estimate.text];
    case 'warning':
      return ['WARNING', estimate.text];
  }
}

function unaskedRow({ disk, text }: Unasked): FleetRow {
  return {
    isProblem: true,
    cells: [disk ?? '', '', 'ERROR', text],
    document: { kind: 'error', disk, text },
  };
}

function endRow(came: number, asked: number, seconds: number, limit: number): FleetRow {
  const isClose = seconds > limit * CLOSE;
  const text = `${count(came, 'estimate')} took ${timeOf(seconds, limit)}; raise it, or estimate by calcsize`;
  return {
    isProblem: false,
    ...(isClose ? { cells: ['', '', 'WARNING', text] } : {}),
    document: {
      kind: 'host',
      estimates: came,
      asked,
      milliseconds: Math.round(seconds * 1_000),
      etimeoutSeconds: limit,
    },
  };
}
