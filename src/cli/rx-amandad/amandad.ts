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
 * `rx-amandad`: serves as the words say. Resolves to the exit code when that is over; never rejects.
 *
 * The first signal lets what runs finish, up to the grace time. The second ends it at once, with that signal's exit code.
 */
export async function amandad(
  words: readonly string[],
  environment: AmandadEnvironment,
): Promise<number> {
  const { print } = environment;
  if (words.includes('--help')) print((await import('./amandad-help.js')).help);
  else if (words.includes('--version')) print(`rx-amandad-${packageVersion()}\n`);
  else return serveAsAsked(words, environment);
  return exitCodes.success;
}

function serveAsAsked(words: readonly string[], environment: AmandadEnvironment): Promise<number> {
  const { complain, interrupted } = environment;
  const first = new ReplaySubject<number>(1);
  const again = new ReplaySubject<number>(1);
  interrupted.pipe(take(1)).subscribe(first);
  interrupted.pipe(skip(1), take(1)).subscribe(again);
  const done = merge(
    defer(() => of(parseAmandad(words))).pipe(
      mergeMap(async (given) => ({ given, ...(await amandadSettings(given, environment)) })),
      mergeMap((start) => run(start, { ...environment, interrupted: first }, again)),
    ),
    again,
  ).pipe(
    catchError((error: unknown) => {
      if (environment.isStderrFree())
        complain(`rx-amandad: ${error instanceof Error ? error.message : String(error)}`);
      return of(exitCodeOf(error) === exitCodes.usage ? exitCodes.usage : exitCodes.failed);
    }),
  );
  return firstValueFrom(done, { defaultValue: exitCodes.success });
}

/** What was asked for, on the command line and in the configuration. */
type Start = { readonly given: AmandadArguments } & AmandadSettings;

function run(
  { given, settings, trouble, notes }: Start,
  environment: AmandadEnvironment,
  hurry: Observable<unknown>,
): Observable<number> {
  const { becomeUser, interrupted, hangup } = environment;
  const activation = activationOf(given, environment);
  const log = new AmandadLog(given, { ...environment, activation });
  const requests = new RequestLog(log.write);
  const listener = listenerOf(given, settings, activation, {
    // Only now: a port below 1024 takes root to listen on, and the log is to be its user's.
    onReady: (place) => {
      becomeUser(given.user);
      log.open();
      for (const note of notes) log.write(note);
      if (place !== undefined) log.write(`listening on ${place}`);
    },
    onWarning: log.write,
  });
  const stop = interrupted.pipe(
    take(1),
    tap(() => {
      log.write(`stopping: what runs may take ${given.grace / 1_000} s more`);
    }),
    share(),
  );
  const serving = serve(
    tracedIf(given.debug, listener, log.write),
    servicesOf(given, { hurry, trouble, isForOne: hasOneConnection(given, activation) }),
    {
      ...serveOptions(given, settings, activation),
      stop,
    },
  );
  return merge(
    serving.pipe(tap(requests.note), ignoreElements(), endWith(exitCodes.success)),
    graceOver(stop, given.grace),
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

function tracedIf(debug: boolean, listener: Listener, log: Log): Listener {
  if (!debug) return listener;
  const traced = (connection: Connection): Observable<Connection> =>
    of(connection).pipe(
      traceFrames((frame) => {
        log(`${describePeer(connection.peer)} ${frame}`);
      }, describePacket),
    );
  return { ...listener, accept: (options) => listener.accept(options).pipe(mergeMap(traced)) };
}

/** Made when first asked for: by then this process is the user that the file must belong to. */
function rulesOf(policy: AccessPolicy): (request: AccessRequest) => Observable<Verdict> {
  let rules: ReturnType<typeof authorize> | undefined;
  return (request) => (rules ??= authorize(policy))(request);
}

/** Longer than any backup, and the longest that a timer can wait. */
const NEVER = 0x7fff_ffff;

/** Where nobody has said anything else, standard input is looked at: a connection, or with inetd's "wait" what connections come in on. */
function activationOf(
  given: AmandadArguments,
  { activation, waiting }: AmandadEnvironment,
): Activation {
  const isForTcp = given.auth === 'bsdtcp' || given.auth === 'ssl';
  return (
    (isForTcp && activation.kind === 'none' && hasOneConnection(given, activation)
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
  given: AmandadArguments,
  settings: Settings,
  activation: Activation,
): ServeOptions {
  const { auth, amandahosts: file, noExit, limits } = given;
  const { 'rep-tries': configured } = settings;
  const {
    maxHandles,
    maxRequests,
    receiveBudget,
    replyTries = configured?.value,
    idleTimeout = noExit && hasOneConnection(given, activation) ? NEVER : undefined,
  } = limits;
  return {
    ...(file === undefined ? {} : { authorize: rulesOf({ file, reservedPort: auth !== 'ssl' }) }),
    ...(maxHandles === undefined ? {} : { maxHandles }),
    ...(maxRequests === undefined ? {} : { maxRequests }),
    ...(receiveBudget === undefined ? {} : { receiveBudget }),
    ...(replyTries === undefined ? {} : { replyTries }),
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
  };
}
