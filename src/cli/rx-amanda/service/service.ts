import { concat, filter, map, merge, mergeMap, of, switchMap, type Observable } from 'rxjs';
import {
  request,
  type Reply,
  type RequestOptions,
  type ServiceRequest,
} from '../../../exchange/request.js';
import { AmandaError } from '../../../wire/errors.js';
import { amandaServiceNames } from '../../../target/process/amanda-service-names.js';
import { Features } from '../../../wire/features.js';
import { messageOf } from '../../../wire/text.js';
import { parseArguments, UsageError } from '../../terminal/arguments.js';
import { didYouMean } from '../../terminal/suggest.js';
import type { CliCommand } from '../command.js';
import { openConfigured, configOptions, configOptionsHelp } from '../configured.js';
import { exitCodes, exitCodesHelp } from '../../terminal/exit.js';
import {
  bindStream,
  parseBinding,
  type StreamBinding,
  type NamedBinding,
} from './stream-binding.js';
import type { Output } from '../output.js';
import { connectTarget } from '../connect-target.js';
import { askEach, manyHostsOptions, manyHostsHelp, takeHosts } from '../each-host.js';
import { readBody } from './request-body.js';
import type { ProcessEnvironment } from '../environment.js';
import {
  callTimingFor,
  estimateTimingFor,
  estimatesIn,
  targetOptions,
  targetOptionsHelp,
  type TargetChoice,
} from '../target.js';

const options = {
  ...targetOptions,
  ...configOptions,
  ...manyHostsOptions,
  file: { type: 'string', short: 'f' },
  stdio: { type: 'boolean', short: 's' },
  features: { type: 'string' },
  stream: { type: 'string', multiple: true },
} as const;

/** `rx-amanda service`: requests any service, like Amanda's amservice. */
export const serviceCommand: CliCommand = {
  summary: 'ask for any service, with a request of your own',
  options,
  help: `Usage: rx-amanda service [OPTION…] HOST… SERVICE

Asks for a service. The request is an OPTIONS line and what comes on standard
input (nothing, when that is a terminal). Prints the reply; control characters
in it are shown as \\xNN, --json has the text as it came.

The request:
  --file, -f FILE         take it from FILE instead of standard input
  --features HEX          our features; default those of Amanda 3.5.1
  The name of --config is told to the target, too.

The service's streams (without these they are closed):
  --stdio, -s             join the first one to standard input and output;
                          the reply is not printed; needs -f
  --stream NAME,IN,OUT    join the one of that name to two open descriptors:
                          IN is read and sent, OUT gets what comes, - is none;
                          repeatable
  The end of what is sent closes the stream, and a real amandad then closes it
  both ways: to receive all of a dump, give no IN, or one that stays open.

${manyHostsHelp()}

${targetOptionsHelp}

${configOptionsHelp}

${exitCodesHelp}
`,
  run(args, output, environment) {
    const { values, positionals } = parseArguments(args, options);
    const {
      hosts,
      rest: [service = ''],
    } = takeHosts(positionals, ['SERVICE']);
    const configured = openConfigured(values, output, environment);
    const targets = hosts.map((place) => ({ place, ...configured.choose(place) }));
    const several = targets.length > 1;
    const bindings = (values.stream ?? []).map(parseBinding);
    const { file, config, stdio: wantsStdio = false } = values;
    if (wantsStdio && file === undefined)
      throw new UsageError('-s needs -f FILE, since standard input goes to the stream.');
    if (wantsStdio && bindings.length > 0)
      throw new UsageError('-s and --stream cannot be combined.');
    if (wantsStdio && output.mode.json)
      throw new UsageError('-s and --json both want standard output.');
    if (several && (wantsStdio || bindings.length > 0))
      throw new UsageError('-s and --stream join the streams of one HOST only.');
    const features =
      values.features === undefined ? Features.amanda351 : parseFeatures(values.features);
    const timingOf = (target: TargetChoice, body: Uint8Array): RequestOptions =>
      service === 'sendsize' ? estimateTimingFor(target, estimatesIn(body)) : callTimingFor(target);
    const asked = (host: string, body: Uint8Array): ServiceRequest => ({
      service,
      options: { features, hostname: host, config },
      body,
    });
    noteLikelyName(service, output);
    return readBody(file, () => environment.stdin).pipe(
      switchMap((body) =>
        askEach(targets, values, output, ({ place, target }) =>
          connectTarget(target, values, output, environment).pipe(
            request(asked(target.host, body), timingOf(target, body)),
            filter(({ kind }) => kind === 'final'),
            mergeMap((reply) =>
              concat(
                useStreams(
                  reply,
                  wantsStdio ? environment : bindings,
                  output,
                  several ? place : undefined,
                ),
                of(reply),
              ),
            ),
            map((reply) => (hasFailed(reply) ? exitCodes.failed : exitCodes.success)),
          ),
        ),
      ),
    );
  },
};

/** Any name may be asked for, but one that is almost Amanda's is probably a slip. */
function noteLikelyName(service: string, output: Output): void {
  const names: readonly string[] = amandaServiceNames;
  const meant = names.includes(service) ? '' : didYouMean(service, names);
  if (meant !== '') output.note(`Amanda has no service "${service}".${meant}`);
}

/**
 * Whether the reply reports a failure. amandad appends such a line to the last line of the service
 * if that has no line end.
 */
function hasFailed({ errors, lines }: Reply): boolean {
  return (
    errors.length > 0 ||
    lines.some((line) =>
      /ERROR service \/\S+ failed: pid \d+ exited with (?:code|signal) \d+$/.test(line),
    )
  );
}

function parseFeatures(hex: string): Features {
  try {
    return Features.parse(hex);
  } catch (error) {
    throw new UsageError(`--features: ${messageOf(error)}`);
  }
}

/** Prints the reply, of one of several hosts with its name, and binds or discards its streams. */
function useStreams(
  reply: Reply,
  choice: ProcessEnvironment | readonly NamedBinding[],
  output: Output,
  host: string | undefined,
): Observable<never> {
  const bindings = 'stdout' in choice ? firstStream(reply, choice) : choice;
  if (!('stdout' in choice))
    output.result({ host, ...documentOf(reply) }, [
      ...(host === undefined ? [] : [`${host}:`]),
      ...reply.text.replace(/\n$/, '').split('\n'),
    ]);
  else for (const error of reply.errors) output.warn(`ERROR ${error}`);
  const bound =
    reply.errors.length > 0 ? [] : bindings.map(({ name, open }) => bindNamed(reply, name, open()));
  for (const [name, stream] of Object.entries(reply.streams)) {
    if (bound.length === 0 || !bindings.some((binding) => binding.name === name)) stream.discard();
  }
  return merge(...bound);
}

function firstStream(
  reply: Reply,
  { stdin: input, stdout: output }: ProcessEnvironment,
): readonly NamedBinding[] {
  const [name] = Object.keys(reply.streams);
  if (name !== undefined) return [{ name, open: () => ({ input, output }) }];
  if (reply.errors.length > 0) return [];
  throw new AmandaError('SERVICE_FAILED', 'The service opened no stream; ask for it without -s.');
}

function bindNamed({ streams }: Reply, name: string, binding: StreamBinding): Observable<never> {
  const stream = streams[name];
  if (stream !== undefined) return bindStream(stream, binding);
  const names = Object.keys(streams).join(' ');
  throw new AmandaError(
    'SERVICE_FAILED',
    `The service opened no stream ${name}; it opened ${names === '' ? 'none' : names}.`,
  );
}

function documentOf({ options: said, errors, lines, text, streams, connection }: Reply): object {
  return {
    peer: connection.peer,
    options: Object.fromEntries(said.entries.map(({ name, value }) => [name, value ?? null])),
    errors,
    lines,
    text,
    streams: Object.fromEntries(
      Object.entries(streams).map(([name, { handle }]) => [name, handle]),
    ),
  };
}
