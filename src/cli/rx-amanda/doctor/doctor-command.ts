import { map, tap, toArray, type Observable } from 'rxjs';
import type { Check } from '../../../doctor/check.js';
import { doctor } from '../../../doctor/doctor.js';
import { parseArguments, takePositionals } from '../../terminal/arguments.js';
import type { CliCommand } from '../command.js';
import { configOptions, configOptionsHelp } from '../configured.js';

import type { Output } from '../output.js';
import { targetOptions, targetOptionsHelp, type TargetChoice } from '../target.js';
import { chooseExamined } from './choose-examined.js';
import { checkLines, doctorDocument, doctorExitCode, lastLines } from './doctor-report.js';

/** `rx-amanda doctor`: why does a target not answer, or let nothing in? */
export const doctorCommand: CliCommand = {
  summary: 'find out why a target does not answer, or lets nothing in',
  help: `Usage: rx-amanda doctor [OPTION…] HOST

Examines the way to a target step by step: names, privileges, the network, what
listens there, and what it says to a request. Prints a line for each check, and
at the end the first thing to fix. docs/doctor.md explains each finding.

${targetOptionsHelp}

${configOptionsHelp}

Exit code:
  0    nothing to fix, or warnings only
  1    something is to be fixed, and the target answers
  2    wrong usage
  3    the target cannot be reached, or nothing that answers is Amanda
  130  interrupted
`,
  run(args, output, environment) {
    const { values, positionals } = parseArguments(args, { ...targetOptions, ...configOptions });
    const [host = ''] = takePositionals(positionals, ['HOST']);
    const { target, configuration } = chooseExamined(host, values, output, environment);
    const { driver } = environment;
    const { port, timeout } = target;
    return report(
      doctor({
        host,
        driver: driver(target),
        configuration,
        ...(port === undefined ? {} : { port }),
        ...(timeout === undefined ? {} : { patience: timeout }),
      }),
      { host, auth: target.auth },
      output,
    );
  },
};

/** Prints each check when it comes, or all as one document. Emits the exit code. */
function report(
  checks: Observable<Check>,
  examined: { readonly host: string; readonly auth: TargetChoice['auth'] },
  output: Output,
): Observable<number> {
  const started = performance.now();
  const { json, quiet } = output.mode;
  return checks.pipe(
    tap((check) => {
      if (!json) output.result({}, checkLines(check, quiet));
    }),
    toArray(),
    tap((all) => {
      const ms = Math.round(performance.now() - started);
      output.result(doctorDocument(all, { ...examined, ms }), lastLines(all, ms));
    }),
    map(doctorExitCode),
  );
}
