import { defer, map, tap, toArray, type Observable } from 'rxjs';
import { parseArguments, UsageError } from '../../terminal/arguments.js';
import { exitCodes } from '../../terminal/exit.js';
import { formatBytes } from '../../terminal/units.js';
import type { CliCommand } from '../command.js';
import type { Output } from '../output.js';
import { progressInterval } from '../progress-line.js';
import { askVolume } from '../recover/ask-volume.js';
import {
  chooseServer,
  imageHelp,
  reachingHelp,
  serverHelp,
  serverOptions,
} from '../recover/recover-options.js';
import { parseDate, shownDate } from '../recover/recover-place.js';
import { verifyFiles, type Verified } from './verify-files.js';
import { verifyServer } from './verify-server.js';

const options = {
  ...serverOptions,
  server: { type: 'string' },
  all: { type: 'boolean' },
  index: { type: 'string' },
} as const;

/** `rx-amanda verify`: can a dump be restored? */
export const verifyCommand: CliCommand = {
  summary: 'prove that a dump can be restored',
  options,
  help: `Usage: rx-amanda verify [OPTION…] FILE…
       rx-amanda verify --server SERVER --config NAME [OPTION…]

Reads a dump to its end and compares all that is known of it. That is the header,
the size, each CRC, the archive, and the names with those of the index. Says what
is wrong and where: the flipped bit, the missing bytes, the wrong part, the names.

A dump file:
  FILE…                   a dump file, or the parts of one dump in their order
  --index FILE            compare with the names in this index file

The backups on a server, read from its volumes:
  --server SERVER         where; SERVER:PORT for another port
${serverHelp}
  --all                   the last dump of each disk, of each host or of --host
${imageHelp}

${reachingHelp}`,
  run(args, output, environment) {
    const { values, positionals } = parseArguments(args, options);
    const allowed = values['allow-program'] ?? [];
    if (values.server === undefined) {
      if (positionals.length === 0) throw new UsageError('FILE or --server SERVER is missing.');
      return report(
        defer(() => verifyFiles(positionals, allowed, values.index)),
        output,
      );
    }
    if (positionals.length > 0) throw new UsageError('FILE and --server cannot be combined.');
    if (values.index !== undefined) throw new UsageError('--index is for a FILE.');
    const all = values.all === true;
    if (all && (values.disk ?? values.date) !== undefined)
      throw new UsageError('--all takes no --disk and no --date.');
    const date = parseDate(values.date);
    const source = {
      ...chooseServer(values.server, values, output, environment),
      device: values.device,
      progressInterval: progressInterval(environment),
      onVolume: askVolume(environment, output),
    };
    return report(
      verifyServer(source, { host: values.host, disk: values.disk, all, date }, allowed),
      output,
    );
  },
};

/** Prints each dump when it is verified, or a document of all. Emits the exit code. */
function report(verified: Observable<Verified>, output: Output): Observable<number> {
  return verified.pipe(
    tap((one) => {
      if (!output.mode.json) output.result({}, verifiedLines(one));
    }),
    toArray(),
    map((all) => {
      if (output.mode.json) output.result({ dumps: all.map(verifiedDocument) }, []);
      const isGood = all.every(({ verdict }) => verdict.findings.length === 0);
      if (all.length === 0) output.note('there is no dump to verify.');
      return isGood && all.length > 0 ? exitCodes.success : exitCodes.failed;
    }),
  );
}

function verifiedLines({ header, source, verdict }: Verified): string[] {
  const { bytes, entries, checked, findings } = verdict;
  const what =
    header === undefined
      ? source
      : `${header.host}:${header.disk} level ${header.level} of ${shownDate(header.datestamp)}`;
  return [
    `${findings.length === 0 ? 'good' : 'BAD '}  ${what}, ${source}`,
    `      ${formatBytes(bytes)}, ${entries} entries; compared: ${checked.join(', ')}`,
    ...findings.map(({ check, message }) => `      ${check}: ${message}`),
  ];
}

function verifiedDocument({ header, source, verdict }: Verified): object {
  const { flippedByte: _, ...rest } = verdict;
  return {
    host: header?.host ?? null,
    disk: header?.disk ?? null,
    level: header?.level ?? null,
    date: header?.datestamp ?? null,
    source,
    good: verdict.findings.length === 0,
    ...rest,
  };
}
