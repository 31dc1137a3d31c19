import { hostname } from 'node:os';
import { map, tap, toArray, type Observable } from 'rxjs';
import type { Check } from '../../../doctor/check.js';
import { configurationCheck } from '../../../doctor/checks/configuration-check.js';
import type { DoctorOptions } from '../../../doctor/doctor-options.js';
import { runChecks } from '../../../doctor/run-checks.js';
import { doctor, doctorLocal } from '../../../doctor/doctor.js';
import { parseArguments, takePositionals } from '../../terminal/arguments.js';
import type { CliCommand } from '../command.js';
import { configOptions, configOptionsHelp } from '../configured.js';
import { certificatesOf, sshOptionsOf } from '../driver-for.js';
import { askEach, manyHostsHelp, manyHostsOptions, takeHosts } from '../each-host.js';
import type { ProcessEnvironment } from '../environment.js';
import type { Output } from '../output.js';
import { targetOptions, targetOptionsHelp } from '../target.js';
import { chooseExamined, type Examined } from './choose-examined.js';
import { checkLines, doctorDocument, doctorExitCode, lastLines } from './doctor-report.js';

const options = {
  ...targetOptions,
  ...configOptions,
  ...manyHostsOptions,
  local: { type: 'boolean' },
  disk: { type: 'string' },
  'both-ways': { type: 'boolean' },
} as const;

/** `rx-amanda doctor`: why does a target not answer, or let nothing in? */
export const doctorCommand: CliCommand = {
  summary: 'find out why a target does not answer, or lets nothing in',
  options,
  help: `Usage: rx-amanda doctor [OPTION…] HOST…
       rx-amanda doctor --local [--user NAME]

Examines the way to a target step by step: names, privileges, the network, what
listens there, and what it says to a request. Prints a line for each check, and
at the end the first thing to fix. docs/doctor.md explains each finding.

  --local                 examine this host as a target instead, and only read:
                          Amanda's user (--user), .amandahosts, what starts
                          amandad, its programs and its folders
  --disk NAME             also have the target check this disk (GNUTAR) and
                          estimate it, and compare the time with etimeout
  --both-ways             also see whether amrecover on the target can reach
                          amindexd on this host

${manyHostsHelp()}

${targetOptionsHelp}

${configOptionsHelp}

Exit code:
  0    nothing to fix, or warnings only
  1    something must be fixed, and the target answers
  2    wrong usage
  3    the target cannot be reached, or what answers is no Amanda
  130  interrupted
`,
  run(args, output, environment) {
    const { values, positionals } = parseArguments(args, options);
    if (values.local === true) return examineThisHost(positionals, values.user, output);
    const { hosts } = takeHosts(positionals);
    const examined = hosts.map((place) => ({
      place,
      ...chooseExamined(place, values, output, environment),
    }));
    const several = examined.length > 1;
    const bothWays = values['both-ways'] === true;
    return askEach(examined, values, output, ({ place, ...one }) => {
      const auth = one.kind === 'chosen' ? one.target.auth : null;
      const checks =
        one.kind === 'chosen'
          ? doctor({ ...optionsFor(one, environment), bothWays })
          : runChecks([configurationCheck(one.configuration)]);
      return report(checks, { host: place, auth }, several, output);
    });
  },
};

function optionsFor(
  { target, configuration, disks }: Extract<Examined, { kind: 'chosen' }>,
  { driver }: ProcessEnvironment,
): DoctorOptions {
  const { host, auth, port, timeout, settings } = target;
  return {
    host,
    driver: driver(target),
    configuration,
    disks,
    ...(auth === 'ssl' ? { certificates: certificatesOf(target) } : {}),
    ...(auth === 'ssh' ? { ssh: sshOptionsOf(target) } : {}),
    ...(port === undefined ? {} : { port }),
    ...(settings?.etimeout === undefined ? {} : { etimeout: settings.etimeout.value }),
    ...(timeout === undefined ? {} : { patience: timeout }),
  };
}

function examineThisHost(
  positionals: readonly string[],
  user: string | undefined,
  output: Output,
): Observable<number> {
  takePositionals(positionals, []);
  const checks = doctorLocal(user === undefined ? {} : { user });
  return report(checks, { host: hostname(), auth: null }, false, output);
}

/**
 * Prints each check when it comes, or those of one of several hosts together, or a document. Emits
 * the exit code.
 */
function report(
  checks: Observable<Check>,
  examined: { readonly host: string; readonly auth: string | null },
  several: boolean,
  output: Output,
): Observable<number> {
  const started = performance.now();
  const { json, quiet } = output.mode;
  return checks.pipe(
    tap((check) => {
      if (!json && !several) output.result({}, checkLines(check, quiet));
    }),
    toArray(),
    tap((all) => {
      const ms = Math.round(performance.now() - started);
      const before = several
        ? [`${examined.host}:`, ...all.flatMap((check) => checkLines(check, quiet))]
        : [];
      output.result(doctorDocument(all, { ...examined, ms }), [...before, ...lastLines(all, ms)]);
    }),
    map(doctorExitCode),
  );
}
