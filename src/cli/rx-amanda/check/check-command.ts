import { concat, defer, map, of, type Observable } from 'rxjs';
import { isProblem, selfcheck, type Finding } from '../../../initiator/selfcheck.js';
import { parseArguments } from '../../terminal/arguments.js';
import { count, formatTime } from '../../terminal/units.js';
import type { CliCommand } from '../command.js';
import { configOptions, configOptionsHelp, openConfigured } from '../configured.js';
import { manyHostsHelp, manyHostsOptions } from '../each-host.js';
import { targetOptions, targetOptionsHelp } from '../target.js';
import { askHost, type Unasked } from './ask-host.js';
import { chooseHosts, diskOptions, type AskedHost } from './choose-hosts.js';
import { ASKED_AT_ONCE, printTable, type FleetRow } from './fleet-table.js';

const options = {
  ...targetOptions,
  ...configOptions,
  ...manyHostsOptions,
  ...diskOptions,
  all: { type: 'boolean' },
} as const;

/** `rx-amanda check`: can these hosts be backed up, as amcheck would ask them? */
export const checkCommand: CliCommand = {
  summary: 'ask targets whether their disks can be backed up',
  options,
  help: `Usage: rx-amanda check [OPTION…] HOST…
       rx-amanda check [OPTION…] --config NAME [HOST…]

Asks targets what they can do, and to check themselves and their disks, as
amcheck does. Prints a line for each finding and each host, and a summary.
With --config, the hosts and their disks are those of its disklist.

The check:
  --disk NAME             check this disk only; repeatable. Without --config it
                          is a directory, and GNU tar is to dump it
  --all                   print what is in order, too

${manyHostsHelp(ASKED_AT_ONCE)}

${targetOptionsHelp}

${configOptionsHelp}

Exit code:
  0    no problem, or warnings only
  1    a target has a problem, or refused
  2    wrong usage
  3    a target gave no answer in time, or the connection was lost
  130  interrupted
`,
  run(args, output, environment) {
    const { values, positionals } = parseArguments(args, options);
    const hosts = chooseHosts(positionals, values, openConfigured(values, output, environment));
    const shown = { all: values.all === true, quiet: output.mode.quiet };
    const table = {
      widths: [LABEL],
      parallel: values.parallel,
      failed: (label: string, sentence: string) => [label, sentence],
      summary: () => [],
    };
    return printTable(hosts, output, table, (host) =>
      rowsOf(
        askHost(host, values, output, environment, ({ dles, call }) =>
          selfcheck({ dles, ...call }),
        ),
        host,
        shown,
      ),
    );
  },
};

/** The width of the column of severities. */
const LABEL = 'NO ANSWER'.length;

interface Shown {
  readonly all: boolean;
  readonly quiet: boolean;
}

/** A row for each finding, and one for a host without problems and warnings. */
function rowsOf(
  findings: Observable<Unasked | Finding>,
  { name, disks }: AskedHost,
  shown: Shown,
): Observable<FleetRow> {
  return defer(() => {
    const started = performance.now();
    let isFine = true;
    return concat(
      findings.pipe(
        map((found) => {
          const finding = 'kind' in found ? findingOf(found) : found;
          if (isNotable(finding)) isFine = false;
          return rowOf(finding, name, shown);
        }),
      ),
      defer(() => {
        const milliseconds = performance.now() - started;
        const what = disks.length === 0 ? '' : `${count(disks.length, 'disk')}, `;
        const cells = ['ok', `${what}${formatTime(milliseconds)}`];
        return of({
          isProblem: false,
          ...(isFine && !shown.quiet ? { cells } : {}),
          document: {
            kind: 'host',
            disks: disks.length,
            milliseconds: Math.round(milliseconds),
          },
        });
      }),
    );
  });
}

/** A disk that was not asked about is a problem that we found. */
function findingOf({ disk, text }: Unasked): Finding {
  return {
    severity: 'error',
    text: disk === undefined ? text : `${disk}: ${text}`,
    code: undefined,
    details: new Map(disk === undefined ? [] : [['disk', disk]]),
  };
}

function rowOf(finding: Finding, host: string, { all }: Shown): FleetRow {
  const { severity, text, code, details } = finding;
  // Amanda's errors begin with the name of the host, which has a column of its own here.
  const short = text.startsWith(`${host}: `) ? text.slice(host.length + 2) : text;
  return {
    isProblem: isProblem(finding),
    ...(all || isNotable(finding) ? { cells: [labelOf(finding), short] } : {}),
    document: { kind: 'finding', severity, text, code, details: Object.fromEntries(details) },
  };
}

function isNotable(finding: Finding): boolean {
  return isProblem(finding) || finding.severity === 'warning';
}

function labelOf({ severity }: Finding): string {
  if (severity === 'success' || severity === 'info') return 'ok';
  return severity === 'message' ? 'note' : severity.toUpperCase();
}
