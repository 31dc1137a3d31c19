import { resolve } from 'node:path';
import { concatMap, map, of, takeLast, tap, type Observable } from 'rxjs';
import { index } from '../../../initiator/recover/index-session.js';
import { UsageError } from '../../terminal/arguments.js';
import { exitCodes } from '../../terminal/exit.js';
import type { ProcessEnvironment } from '../environment.js';
import type { Output } from '../output.js';
import { parseDiskPath } from './disk-path.js';
import { planGet, type GetPlan } from './get-plan.js';
import { gotDocument, gotLines, planDocument, planLines } from './get-report.js';
import { get, type GetOptions } from './get.js';
import { parseDate } from './recover-place.js';
import type { ChosenServer, RecoverValues } from './recover-options.js';

/** Runs `get`. Emits the exit code: 1 when something that was there stays. */
export function runGet(
  words: readonly string[],
  values: RecoverValues,
  server: () => ChosenServer,
  output: Output,
  environment: ProcessEnvironment,
): Observable<number> {
  const directory = destinationOf(values, output, environment);
  if (words.length === 0) throw new UsageError('PATH is missing; / is the whole disk.');
  const paths = words.map((word) => parseDiskPath(word, values.escaped === true));
  const date = parseDate(values.date);
  const { config, connections, timing, silence } = server();
  const options: GetOptions = {
    config,
    directory,
    timing,
    silence,
    overwrite: values.overwrite === true,
    isRaw: values.raw === true,
    allowed: values['allow-program'] ?? [],
    device: values.device,
  };
  const shown = directory ?? 'standard output';
  return connections.pipe(
    index({ config, ...(silence === undefined ? {} : { silence }), ...timing }, (session) =>
      planGet(session, values, paths, date),
    ),
    // The session has to end first: a server may have one user at a time.
    takeLast(1),
    concatMap((plan) => {
      if (values['dry-run'] === true) {
        output.result(planDocument(plan), planLines(plan));
        return of(exitCodes.success);
      }
      checkRaw(plan, options);
      return get(connections, plan, options, output, environment).pipe(
        tap((got) => {
          if (directory !== undefined) output.result(gotDocument(got, shown), gotLines(got, shown));
          else for (const line of gotLines(got, shown)) output.note(line.trim());
        }),
        map(({ placed }) => ((placed?.keptCount ?? 0) > 0 ? exitCodes.failed : exitCodes.success)),
      );
    }),
  );
}

/** The folder; undefined for standard output. */
function destinationOf(
  { directory, into, raw, overwrite, 'dry-run': isDry }: RecoverValues,
  { mode }: Output,
  { stdout }: ProcessEnvironment,
): string | undefined {
  if (into !== undefined && into !== '-')
    throw new UsageError('--into takes - for standard output; -C DIR restores into a folder.');
  if (into !== undefined && directory !== undefined)
    throw new UsageError('-C and --into cannot be combined.');
  if (raw === true && into === undefined) throw new UsageError('--raw needs --into -.');
  if (into === undefined) {
    if (directory !== undefined && directory !== '') return resolve(directory);
    if (isDry === true) return undefined;
    throw new UsageError(
      '-C DIR is missing: the folder to restore into. --into - is standard output.',
    );
  }
  if (overwrite === true) throw new UsageError('--overwrite needs -C DIR.');
  if (isDry === true) return undefined;
  if (stdout.isTTY === true)
    throw new UsageError(
      'An archive is nothing for a terminal; restore into a folder with -C DIR.',
    );
  if (mode.json) throw new UsageError('--into - and --json both want standard output.');
  return undefined;
}

function checkRaw({ dumps }: GetPlan, { isRaw }: GetOptions): void {
  if (isRaw && dumps.length > 1)
    throw new UsageError(
      `--raw is for one dump, and this needs ${dumps.length}; --dry-run lists them.`,
    );
}
