import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Observable, map, tap } from 'rxjs';
import { connect } from '../../../initiator/connect.js';
import type { Dle } from '../../../wire/dle/dle.js';
import { parseArguments, takePositionals } from '../../terminal/arguments.js';
import { backUp, backupDocument, backupLines, type Backup } from './backup.js';
import type { CliCommand } from '../command.js';
import { exitCodes, dumpExitCodesHelp } from '../../terminal/exit.js';
import type { Output } from '../output.js';
import { traceIfDebug } from '../connect-target.js';
import type { ProcessEnvironment } from '../environment.js';

const options = {
  json: { type: 'boolean' },
  debug: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** `rx-amanda demo`: a whole backup on this host, without any setup. */
export const demoCommand: CliCommand = {
  summary: 'back up a directory of this host, with a target of our own',
  options,
  help: `Usage: rx-amanda demo [OPTION…] [DIRECTORY]

Starts a target as another process: rx-amandad with our own services. Backs up
DIRECTORY from it over the Amanda protocol into a new temporary directory. Says
how to look at the result. Default: the directory of this program.

  --json        one JSON document on standard output, errors too
  --quiet, -q   no progress, no notes
  --debug       show every frame, and where an error came from
  --help, -h    this text

${dumpExitCodesHelp}
`,
  run(args, output, environment) {
    const { positionals } = parseArguments(args, options);
    const [given] = takePositionals(positionals.length === 0 ? [''] : positionals, ['DIRECTORY']);
    const directory =
      given === undefined || given === ''
        ? fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
        : resolve(given);
    return inNewFolder((folder) =>
      backUpDirectory(directory, join(folder, 'demo.dump'), output, environment),
    ).pipe(
      tap((backup) => {
        output.result(backupDocument(backup), [...backupLines(backup), ...adviceFor(backup)]);
      }),
      map(() => exitCodes.success),
    );
  },
};

function backUpDirectory(
  directory: string,
  destination: string,
  output: Output,
  environment: ProcessEnvironment,
): Observable<Backup> {
  output.note(`backing up ${directory} from a target of our own, over the Amanda protocol`);
  const dle: Dle = {
    program: 'GNUTAR',
    disk: directory,
    levels: [{ level: 0 }],
    auth: 'local',
    record: false,
    index: true,
  };
  const connections = connect(environment.ownTarget()).pipe(traceIfDebug(output));
  return backUp(
    connections,
    { host: 'localhost', dle, destination, overwrite: false },
    output,
    environment,
  );
}

function adviceFor({ plan }: Backup): readonly string[] {
  return [
    '',
    'To see what is in it:',
    `  dd if=${plan.destination} bs=32k skip=1 status=none | tar -tf -`,
  ];
}

/** Makes a temporary folder, and removes it unless `use` emits a value. */
function inNewFolder<T>(use: (folder: string) => Observable<T>): Observable<T> {
  return new Observable((out) => {
    const folder = mkdtempSync(join(tmpdir(), 'rx-amanda-demo-'));
    let isUsed = false;
    out.add(
      use(folder)
        .pipe(
          tap(() => {
            isUsed = true;
          }),
        )
        .subscribe(out),
    );
    return () => {
      if (!isUsed) rmSync(folder, { recursive: true, force: true });
    };
  });
}
