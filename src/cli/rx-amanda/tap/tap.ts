import { Socket } from 'node:net';
import { resolve } from 'node:path';
import {
  concat,
  concatMap,
  connect,
  defer,
  endWith,
  from,
  ignoreElements,
  merge,
  of,
  switchMap,
  takeUntil,
  tap,
  type Observable,
} from 'rxjs';
import { AMANDA_PORT } from '../../../wire/role.js';
import { toText } from '../../../diagram/text/text.js';
import { observeTap } from '../../../tap/observe-tap.js';
import { tapProcess } from '../../../tap/relay-process.js';
import { tapTcp } from '../../../tap/relay.js';
import type { TapChange } from '../../../tap/tap-change.js';
import type { TapEvent } from '../../../tap/tap-event.js';
import { AmandaError } from '../../../wire/errors.js';
import {
  parseArguments,
  takePositionals,
  UsageError,
  wholeNumber,
} from '../../terminal/arguments.js';
import type { CliCommand } from '../command.js';
import { exitCodes } from '../../terminal/exit.js';
import type { Output } from '../output.js';
import type { ProcessEnvironment } from '../environment.js';
import { parseListen, parseTarget, type HostPort } from '../../terminal/host-port.js';
import { withNotes } from './tap-notes.js';
import { withTapFiles, type TapFiles } from './tap-files.js';
import { showTap, withLogFile } from './tap-log.js';
import { terminalOf } from '../../terminal/terminal.js';
import type { PageEvent } from '../../web/serve-tap-page.js';

const options = {
  local: { type: 'boolean' },
  once: { type: 'boolean' },
  count: { type: 'string' },
  svg: { type: 'string' },
  json: { type: 'string' },
  pcap: { type: 'string' },
  text: { type: 'boolean' },
  web: { type: 'string' },
  log: { type: 'string' },
  force: { type: 'boolean' },
  debug: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Values = ReturnType<typeof parseArguments<typeof options>>['values'];

/** `rx-amanda tap`: relays between two Amanda programs and shows what they say. */
export const tapCommand: CliCommand = {
  summary: 'stand between two Amanda programs and show what they say',
  options,
  help: `Usage: rx-amanda tap [OPTION…] LISTEN TARGET
       rx-amanda tap --local [OPTION…] -- PROGRAM [WORD…]

Passes connections on to TARGET, unchanged, and shows what is said on them.

  LISTEN                  PORT or :PORT of the loopback, HOST:PORT or [::1]:PORT
  TARGET                  HOST or HOST:PORT; default port 10080
  --local                 stand in for a local amandad: start PROGRAM, pass
                          standard input and output on, end with its exit code

An initiator with a source port below 1024 reaches the target from such a port,
which takes root or CAP_NET_BIND_SERVICE. It ends at Ctrl-C, or:
  --once                  after the first connection
  --count N               after N connections

What is kept of it:
  --svg FILE              a drawing, written at the end
  --json FILE             a recording for "rx-amanda draw": what is told, and of
                          each payload no more than the first 96 bytes
  --pcap FILE             a capture for tcpdump, Wireshark and "rx-amanda draw"
  --log FILE              the lines of the live view, at the end of FILE; with
                          --local there are no others
  --text                  a drawing for this terminal, at the end
  --force                 replace files that exist
  --web [HOST:]PORT       show it live on a page; port 0 is any free port, and
                          the default HOST is the loopback. Standard error has
                          the URL, which is secret: it shows everything

Files are FILE.partial-PID while the tap goes on and are named FILE at its end.
A capture holds all that was backed up, so its FILE is for you alone.

  --quiet, -q             no live view, no notes
  --debug                 where an error came from
  --help, -h              this text

Exit code:
  0    it has ended as it was asked to; with --local that of PROGRAM
  1    a file could not be written
  2    wrong usage
  3    the address cannot be listened on
`,
  run(args, output, environment) {
    const { values, positionals } = parseArguments(args, options);
    checkFiles(values);
    const page = values.web === undefined ? undefined : parseListen(values.web, '--web');
    const source =
      values.local === true
        ? localSource(positionals, values, environment)
        : tcpSource(positionals, values, output, environment);
    const problem = { met: false };
    const onProblem = (message: string): void => {
      problem.met = true;
      output.warn(`rx-amanda: ${message}`);
    };
    return withTapFiles(values, values.force === true, onProblem, (files) =>
      concat(
        shown(read(source.events, files), { ...values, page, onProblem }, output, environment).pipe(
          ignoreElements(),
        ),
        defer(async () => {
          const published = await files.publish();
          if (values.text === true) {
            const { diagram, millisecondsPerStep } = files.drawing();
            const terminal = terminalOf(process.env, environment.stdout);
            const text = toText(diagram, { ...terminal, millisecondsPerStep });
            output.escaped(`${text}\n`);
          }
          if (values.local !== true) for (const path of published) output.note(`wrote ${path}`);
        }).pipe(
          concatMap(() =>
            of(source.exitCode() ?? (problem.met ? exitCodes.failed : exitCodes.success)),
          ),
        ),
      ),
    );
  },
};

/** The tapped connections, and the exit code after their end. */
interface Source {
  readonly events: Observable<TapEvent>;
  readonly exitCode: () => number | undefined;
}

function tcpSource(
  positionals: readonly string[],
  values: Values,
  output: Output,
  { interrupted }: ProcessEnvironment,
): Source {
  const [listening = '', reached = ''] = takePositionals(positionals, ['LISTEN', 'TARGET']);
  const count = values.once === true ? 1 : wholeNumber('--count', values.count, 1, 1_000_000_000);
  if (values.once === true && values.count !== undefined)
    throw new UsageError('--once and --count cannot be combined.');
  const listen = parseListen(listening);
  const target = parseTarget(reached, AMANDA_PORT);
  const onListening = (port: number): void => {
    output.note(`listening on ${listen.host} port ${port}, for ${target.host} port ${target.port}`);
  };
  return {
    events: tapTcp({
      listen,
      target,
      until: interrupted,
      onListening,
      ...(count === undefined ? {} : { count }),
    }).pipe(withNotes(target, output)),
    exitCode: () => undefined,
  };
}

function localSource(
  positionals: readonly string[],
  values: Values,
  { interrupted }: ProcessEnvironment,
): Source {
  const [program, ...args] = positionals;
  if (program === undefined)
    throw new UsageError(
      'PROGRAM is missing, as in: rx-amanda tap --local -- /usr/lib/amanda/amandad -auth=local.',
    );
  if (values.count !== undefined || values.once === true)
    throw new UsageError(
      '--local has one connection, so --once and --count cannot be combined with it.',
    );
  if (values.web !== undefined)
    throw new UsageError(
      '--web and --local cannot be combined: every PROGRAM has a tap of its own; ' +
        'give --json and draw that.',
    );
  if (values.text === true)
    throw new UsageError(
      '--text and --local cannot be combined: standard output belongs to PROGRAM.',
    );
  let exitCode: number | undefined;
  const onExit = (code: number): void => {
    exitCode = code;
  };
  const events = defer(() =>
    tapProcess({ program, args, ...standardStreams(), until: interrupted, onExit }),
  );
  return { events, exitCode: () => exitCode };
}

/** Standard input and output as new streams, because Node's own cannot be closed. */
function standardStreams(): { readonly input: Socket; readonly output: Socket } {
  try {
    return {
      input: new Socket({ fd: 0, readable: true, writable: false }),
      output: new Socket({ fd: 1, readable: false, writable: true }),
    };
  } catch (cause) {
    throw new AmandaError(
      'BAD_ARGUMENT',
      'With --local standard input and output are pipes; ' +
        'start this from an initiator, as its amandad-path.',
      { cause },
    );
  }
}

/** Decodes the events. Events and steps both go into the files. */
function read(events: Observable<TapEvent>, files: TapFiles): Observable<TapChange> {
  return events.pipe(
    tap((event) => {
      files.event(event);
    }),
    observeTap(),
    tap((change) => {
      files.change(change);
    }),
  );
}

/** How the steps are shown. */
interface Shown {
  readonly log?: string | undefined;
  readonly local?: boolean | undefined;
  readonly page: HostPort | undefined;
  readonly onProblem: (message: string) => void;
}

function shown(
  changes: Observable<TapChange>,
  { log, local = false, page, onProblem }: Shown,
  output: Output,
  { stdout }: ProcessEnvironment,
): Observable<unknown> {
  const logged =
    log === undefined
      ? changes
      : withLogFile(log, onProblem, (report) => changes.pipe(showTap(report, {})));
  const report = (line: string): void => {
    output.escaped(`${line}\n`);
  };
  const viewed =
    local || output.mode.quiet
      ? logged
      : logged.pipe(showTap(report, terminalOf(process.env, stdout)));
  if (page === undefined) return viewed;
  // The page loads on demand, before the first step.
  return defer(() => from(import('../../web/serve-tap-page.js'))).pipe(
    switchMap(({ serveTapPage }) =>
      viewed.pipe(
        connect((shared) => merge(webPage(shared, serveTapPage(shared, page), output), shared)),
      ),
    ),
  );
}

/** Serves the page until the tap ends. */
function webPage(
  changes: Observable<TapChange>,
  events: Observable<PageEvent>,
  output: Output,
): Observable<never> {
  return events.pipe(
    tap((event) => {
      if (event.kind === 'listening') output.warn(`rx-amanda: the page is ${event.url}`);
    }),
    ignoreElements(),
    takeUntil(changes.pipe(ignoreElements(), endWith(true))),
  );
}

function checkFiles({ svg, json, pcap, log }: Values): void {
  const names = [svg, json, pcap, log].filter((name) => name !== undefined);
  if (names.includes('') || names.includes('-'))
    throw new UsageError('--svg, --json, --pcap and --log each take the name of a file.');
  const paths = names.map((name) => resolve(name));
  if (new Set(paths).size < paths.length)
    throw new UsageError('Each file needs a name of its own.');
}
