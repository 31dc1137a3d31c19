import { Observable } from 'rxjs';
import { UsageError, parseArguments, wholeNumber } from '../../terminal/arguments.js';
import type { CliCommand } from '../command.js';
import { readSaved, savedFiles } from './draw-input.js';
import { drawView, framesView, recordingView, type SavedView } from './draw-views.js';
import { exitCodes } from '../../terminal/exit.js';
import type { Output } from '../output.js';
import { PacedOutput } from '../../terminal/paced-output.js';
import type { ProcessEnvironment } from '../environment.js';

const options = {
  svg: { type: 'string', short: 'o' },
  frames: { type: 'boolean' },
  json: { type: 'boolean' },
  connection: { type: 'string' },
  port: { type: 'string' },
  width: { type: 'string' },
  events: { type: 'string' },
  force: { type: 'boolean' },
  debug: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Values = ReturnType<typeof parseArguments<typeof options>>['values'];

/** `rx-amanda draw`: shows a saved conversation. */
export const drawCommand: CliCommand = {
  summary: 'draw a saved conversation: a capture, a recording, raw bytes',
  options,
  help: `Usage: rx-amanda draw [OPTION…] FILE
       rx-amanda draw [OPTION…] INITIATOR-FILE TARGET-FILE

Draws the conversations of a saved file. FILE is one of these:
  a capture      pcap or pcapng, as tcpdump and Wireshark write them
  a recording    of "rx-amanda tap"
  raw bytes      that one side has sent; the other side's are a second file. Of
                 NAME.c2s and NAME.s2c (or NAME.c2s.bin and NAME.s2c.bin) one is
                 enough
  -              standard input; Ctrl-C ends it

  --svg, -o FILE          draw into FILE; several connections into FILE-1.svg …
  --frames                list the frames instead, a line each
  --json                  as JSON lines: the recording, with --frames the frames

  --connection N          only this one, as they are numbered; else the first 20
  --port N                of a capture: the port of the targets (default: 10080,
                          and connections that begin like Amanda's)
  --width N               columns (20 to 1000), of an SVG pixels (400 to 4000)
  --events N              events of a drawing, 20 to 100000; beyond that
                          neighbours are joined (default 100)
  --force                 replace a FILE that exists
  --quiet, -q             no notes
  --debug                 where an error came from
  --help, -h              this text

Exit code:
  0    everything in the file was shown
  1    a file could not be read or written, is no saved conversation, or has
       no connection N
  2    wrong usage
  4    the file is damaged or cut, or bytes in it are missing or are no frames:
       it was shown as far as it goes
  130  interrupted; what was read until then was shown
`,
  run(args, output, environment) {
    const { values, positionals } = parseArguments(args, options);
    if (positionals.length === 0) throw new UsageError('FILE is missing.');
    if (positionals.length > 2)
      throw new UsageError('There are more than two files; only raw bytes come in two.');
    const views = viewsOf(values, environment);
    const port = wholeNumber('--port', values.port, 1, 65_535);
    return new Observable((out) => {
      const stop = new AbortController();
      const paced = new PacedOutput(environment.stdout, () => stop.abort());
      let interruption: number | undefined;
      out.add(() => stop.abort());
      out.add(
        environment.interrupted.subscribe((code) => {
          interruption = code;
          stop.abort();
        }),
      );
      show({
        files: positionals,
        view: views(paced),
        paced,
        port,
        stop,
        output,
        environment,
      }).then(
        (code) => {
          out.next(interruption ?? code);
          out.complete();
        },
        (error: unknown) => out.error(error),
      );
    });
  },
};

interface Showing {
  readonly files: readonly string[];
  readonly view: SavedView;
  readonly paced: PacedOutput;
  readonly port: number | undefined;
  readonly stop: AbortController;
  readonly output: Output;
  readonly environment: ProcessEnvironment;
}

async function show({
  files,
  view,
  paced,
  port,
  stop,
  output,
  environment,
}: Showing): Promise<number> {
  const { damage, notes } = await readSaved(await savedFiles(files), {
    stdin: environment.stdin,
    port,
    stop: stop.signal,
    event: (event) => view.event(event),
    change: (change) => view.change(change),
    pace: () => paced.drained(),
  });
  await view.finish();
  await paced.drained();
  for (const note of [...notes, ...view.notes()]) output.note(note);
  const problems = [...view.problems(), ...(damage === undefined ? [] : [damage.message])];
  const missing = view.missing();
  for (const problem of missing === undefined ? problems : [...problems, missing])
    output.warn(`rx-amanda: ${problem}`);
  if (problems.length > 0) return exitCodes.damaged;
  return missing === undefined ? exitCodes.success : exitCodes.failed;
}

/** Chooses how the conversations are shown. */
function viewsOf(values: Values, { stdout }: ProcessEnvironment): (out: PacedOutput) => SavedView {
  const { svg, frames = false, json = false, force = false } = values;
  const connection = wholeNumber('--connection', values.connection, 1, 1e9);
  const [least, widest] = svg === undefined ? [20, 1_000] : [400, 4_000];
  const width = wholeNumber('--width', values.width, least, widest);
  const events = wholeNumber('--events', values.events, 20, 100_000) ?? DEFAULT_EVENTS;
  if (svg !== undefined && (frames || json))
    throw new UsageError(
      `--svg draws, and ${frames ? '--frames' : '--json'} does not; take one of them.`,
    );
  if (frames) return (out) => framesView({ connection, out, json });
  if (json) return (out) => recordingView({ connection, out });
  return (out) =>
    drawView({ connection, most: MOST_CONNECTIONS, events, svg, width, force, out, stdout });
}

const DEFAULT_EVENTS = 100;
const MOST_CONNECTIONS = 20;
