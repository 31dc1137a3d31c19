import {
  ReplaySubject,
  catchError,
  defer,
  delay,
  endWith,
  finalize,
  firstValueFrom,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  share,
  skip,
  take,
  tap,
  type Observable,
} from 'rxjs';
import { authorize, type AccessPolicy, type AccessRequest } from '../../access/authorize.js';
import type { Verdict } from '../../access/verdict.js';
import { describePeer } from '../../transport/channel.js';
import type { Connection } from '../../connection/connection.js';
import type { Activation } from '../../transport/activation.js';
import type { Listener } from '../../drivers/driver.js';
import { serve, type ServeOptions } from '../../target/serve.js';
import { messageOf } from '../../wire/text.js';
import { parseAmandad, type AmandadArguments } from './amandad-arguments.js';
import { listenerOf } from './amandad-listener.js';
import { amandadSettings, type AmandadSettings } from './amandad-settings.js';
import type { AmandadEnvironment } from './amandad-environment.js';
import { AmandadLog, type Log } from './amandad-log.js';
import { servicesOf } from './amandad-services.js';
import type { Settings } from '../config/settings.js';
import { exitCodeOf, exitCodes } from '../terminal/exit.js';
import { RequestLog } from './request-log.js';
import { describePacket, traceFrames } from '../terminal/trace.js';
import { packageVersion } from '../version.js';

/**
 * `rx-amandad`: serves as the arguments say. Resolves to the exit code, and never rejects.
 *
 * The first signal lets running services finish within the grace time. The second ends them at
 * once, with that signal's exit code.
 */
export async function amandad(
  argv: readonly string[],
  environment: AmandadEnvironment,
): Promise<number> {
  const { print } = environment;
  if (argv.includes('--help')) print((await import('./amandad-help.js')).help);
  else if (argv.includes('--version')) print(`rx-amandad-${packageVersion()}\n`);
  else return serveAsAsked(argv, environment);
  return exitCodes.success;
}

function serveAsAsked(argv: readonly string[], environment: AmandadEnvironment): Promise<number> {
  const { printError, interrupted } = environment;
  const first = new ReplaySubject<number>(1);
  const again = new ReplaySubject<number>(1);
  interrupted.pipe(take(1)).subscribe(first);
  interrupted.pipe(skip(1), take(1)).subscribe(again);
  const done = merge(
    defer(() => of(parseAmandad(argv))).pipe(
      mergeMap(async (args) => ({ args, ...(await amandadSettings(args, environment)) })),
      mergeMap((begun) => run(begun, { ...environment, interrupted: first }, again)),
    ),
    again,
  ).pipe(
    catchError((error: unknown) => {
      if (environment.isStderrFree()) printError(`rx-amandad: ${messageOf(error)}`);
      return of(exitCodeOf(error) === exitCodes.usage ? exitCodes.usage : exitCodes.failed);
    }),
  );
  return firstValueFrom(done, { defaultValue: exitCodes.success });
}

/** The command line and the configuration. */
type Start = { readonly args: AmandadArguments } & AmandadSettings;

function run(
  { args, settings, problem, notes }: Start,
  environment: AmandadEnvironment,
  hurry: Observable<unknown>,
): Observable<number> {
  const { becomeUser, interrupted, hangup } = environment;
  const activation = activationOf(args, environment);
  const log = new AmandadLog(args, { ...environment, activation });
  const requests = new RequestLog(log.write);
  const listener = listenerOf(args, settings, activation, {
    // Not earlier: binding a port below 1024 takes root, and the log must belong to the user.
    onReady: (place) => {
      becomeUser(args.user);
      log.open();
      for (const note of notes) log.write(note);
      if (place !== undefined) log.write(`listening on ${place}`);
    },
    onWarning: log.write,
  });
  const stop = interrupted.pipe(
    take(1),
    tap(() => {
      log.write(`stopping: what runs may take ${args.grace / 1_000} s more`);
    }),
    share(),
  );
  const serving = serve(
    withTrace(args.debug, listener, log.write),
    servicesOf(args, { hurry, problem, isSingleConnection: hasOneConnection(args, activation) }),
    {
      ...serveOptions(args, settings, activation),
      stop,
    },
  );
  return merge(
    serving.pipe(tap(requests.take), ignoreElements(), endWith(exitCodes.success)),
    graceOver(stop, args.grace),
    reopening(hangup, log),
  ).pipe(
    take(1),
    finalize(() => {
      requests.end();
      log.close();
    }),
  );
}

function graceOver(stop: Observable<unknown>, grace: number): Observable<number> {
  return stop.pipe(
    delay(grace),
    map(() => exitCodes.success),
  );
}

function reopening(hangup: Observable<unknown>, log: AmandadLog): Observable<never> {
  return hangup.pipe(
    tap(() => {
      log.reopen();
    }),
    ignoreElements(),
  );
}

function withTrace(debug: boolean, listener: Listener, log: Log): Listener {
  if (!debug) return listener;
  const traced = (connection: Connection): Observable<Connection> =>
    of(connection).pipe(
      traceFrames((frame) => {
        log(`${describePeer(connection.peer)} ${frame}`);
      }, describePacket),
    );
  return { ...listener, accept: (options) => listener.accept(options).pipe(mergeMap(traced)) };
}

/**
 * Reads the rules at the first request. By then the process runs as the user that must own the
 * file.
 */
function authorizeLater(policy: AccessPolicy): (request: AccessRequest) => Observable<Verdict> {
  let rules: ReturnType<typeof authorize> | undefined;
  return (request) => (rules ??= authorize(policy))(request);
}

/** The longest time of a timer, and longer than any backup. */
const NEVER = 0x7fff_ffff;

/**
 * Looks at standard input when nothing else is configured: it is a connection, or under inetd's
 * "wait" the listening socket.
 */
function activationOf(
  args: AmandadArguments,
  { activation, waiting }: AmandadEnvironment,
): Activation {
  const isForTcp = args.auth === 'bsdtcp' || args.auth === 'ssl';
  return (
    (isForTcp && activation.kind === 'none' && hasOneConnection(args, activation)
      ? waiting()
      : undefined) ?? activation
  );
}

/** Whether standard input and output are the connection. */
function hasOneConnection({ auth, tcpPort }: AmandadArguments, activation: Activation): boolean {
  return (
    tcpPort === undefined && auth !== 'bsdudp' && auth !== 'bsd' && activation.kind !== 'socket'
  );
}

function serveOptions(
  args: AmandadArguments,
  settings: Settings,
  activation: Activation,
): ServeOptions {
  const { auth, amandahosts: file, noExit, limits } = args;
  const { 'rep-tries': configured } = settings;
  const {
    maxHandles,
    maxRequests,
    receiveBudget,
    replyTries = configured?.value,
    idleTimeout = noExit && hasOneConnection(args, activation) ? NEVER : undefined,
  } = limits;
  return {
    ...(file === undefined
      ? {}
      : { authorize: authorizeLater({ file, reservedPort: auth !== 'ssl' }) }),
    ...(maxHandles === undefined ? {} : { maxHandles }),
    ...(maxRequests === undefined ? {} : { maxRequests }),
    ...(receiveBudget === undefined ? {} : { receiveBudget }),
    ...(replyTries === undefined ? {} : { replyTries }),
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
  };
}
