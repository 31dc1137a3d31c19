import {
  ReplaySubject,
  Subscription,
  mergeMap,
  of,
  skip,
  switchMap,
  take,
  timer,
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
import { openListener } from './amandad-listener.js';
import { amandadSettings, type AmandadSettings } from './amandad-settings.js';
import type { AmandadEnvironment } from './amandad-environment.js';
import { AmandadLog, type Log } from './amandad-log.js';
import { servicesOf } from './amandad-services.js';
import type { Settings } from '../config/settings.js';
import { exitCodeOf, exitCodes } from '../terminal/exit.js';
import { isOnStdio } from './listener-parts.js';
import { RequestLog } from './request-log.js';
import { startNotes } from './start-notes.js';
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
  const { print, printError, isStderrFree } = environment;
  try {
    if (argv.includes('--help')) print((await import('./amandad-help.js')).help);
    else if (argv.includes('--version')) print(`rx-amandad-${packageVersion()}\n`);
    else return await run(parseAmandad(argv), environment);
    return exitCodes.success;
  } catch (error) {
    if (isStderrFree()) printError(`rx-amandad: ${messageOf(error)}`);
    return exitCodeOf(error) === exitCodes.usage ? exitCodes.usage : exitCodes.failed;
  }
}

async function run(args: AmandadArguments, environment: AmandadEnvironment): Promise<number> {
  const signals = new ReplaySubject<number>(2);
  environment.interrupted.subscribe(signals);
  const stop = signals.pipe(take(1));
  const hurry = signals.pipe(skip(1));
  const readSettings = await amandadSettings(args, environment);
  const activation = activationOf(args, environment);
  const isSingleConnection = isOnStdio(args, activation);
  const log = new AmandadLog(args, { ...environment, activation });
  const requests = new RequestLog(log.write);
  let read: AmandadSettings = { settings: {}, notes: [] };
  const opening = await openListener(args, activation, {
    // Not earlier: binding a port below 1024 takes root. Not later: files are read as the user.
    onReady: (place) => {
      const unverified = environment.becomeUser(args.user, args);
      log.open();
      read = readSettings();
      for (const note of read.notes) log.write(note);
      if (unverified !== undefined) log.write(unverified);
      if (place !== undefined) log.write(`listening on ${place}`);
      if (!isSingleConnection) for (const note of startNotes(args)) log.write(note);
      return read.settings;
    },
    onWarning: log.write,
  });
  const serving = opening.pipe(
    switchMap((listener) => {
      const { settings, problem } = read;
      const services = servicesOf(args, { hurry, problem, isSingleConnection });
      return serve(args.debug ? traced(listener, log.write) : listener, services, {
        ...serveOptions(args, settings, isSingleConnection),
        stop,
      });
    }),
  );
  const subscriptions = new Subscription();
  try {
    return await new Promise<number>((resolve, reject) => {
      const done = (): void => {
        resolve(exitCodes.success);
      };
      const stopping = stop.pipe(
        mergeMap(() => {
          log.write(`stopping: what runs may take ${args.grace / 1_000} s more`);
          return timer(args.grace);
        }),
      );
      subscriptions.add(environment.hangup.subscribe(() => log.reopen()));
      subscriptions.add(stopping.subscribe(done));
      subscriptions.add(hurry.subscribe(resolve));
      subscriptions.add(serving.subscribe({ next: requests.take, error: reject, complete: done }));
    });
  } finally {
    subscriptions.unsubscribe();
    requests.end();
    await log.close();
  }
}

function traced(listener: Listener, log: Log): Listener {
  const trace = (connection: Connection): Observable<Connection> =>
    of(connection).pipe(
      traceFrames((frame) => {
        log(`${describePeer(connection.peer)} ${frame}`);
      }, describePacket),
    );
  return { ...listener, accept: (options) => listener.accept(options).pipe(mergeMap(trace)) };
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
    (isForTcp && activation.kind === 'none' && isOnStdio(args, activation)
      ? waiting()
      : undefined) ?? activation
  );
}

function serveOptions(
  args: AmandadArguments,
  settings: Settings,
  isSingleConnection: boolean,
): ServeOptions {
  const { auth, amandahosts: file, noExit, limits } = args;
  const { 'rep-tries': configured } = settings;
  const {
    maxHandles,
    maxRequests,
    receiveBudget,
    replyTries = configured?.value,
    idleTimeout = noExit && isSingleConnection ? NEVER : undefined,
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
