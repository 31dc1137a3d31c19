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
import type { AmandadSurroundings } from './amandad-surroundings.js';
import { AmandadLog, type Log } from './amandad-log.js';
import { servicesOf } from './amandad-services.js';
import type { Settings } from '../config/settings.js';
import { exitCodeOf, exitCodes } from '../terminal/exit.js';
import { RequestLog } from './request-log.js';
import { describePacket, traceFrames } from '../terminal/trace.js';
import { packageVersion } from '../version.js';

const help = `Usage: rx-amandad [OPTION…] [SERVICE…]

A target of the Amanda backup system: does what amandad does. inetd, xinetd or
an initiator starts it with the connection on standard input and output, or
inetd with the socket that listens ("wait"); with -tcp or -udp it listens by
itself, and systemd hands it a socket (LISTEN_FDS).

As amandad has them:
  -auth=NAME        bsdtcp (default), ssl, local, ssh or rsh; for servers that
                    have none of these bsdudp or bsd
  -tcp=PORT         listen on this port and serve one connection
  -udp=PORT         the same for bsdudp and bsd; from inetd these need "wait"
  -no-exit          with -tcp, -udp or inetd's "wait" serve any number of
                    connections for any time; else keep a connection on which
                    nothing runs
  --version         the version of this program
  SERVICE…          the services that may be asked for; amdump stands for noop,
                    sendsize, sendbackup and selfcheck. Default: those,
                    senddiscover and restore; with -auth=local, ssh and
                    rsh all

Ours:
  -listen=ADDRESS   with -tcp or -udp, listen on this address only; default all
  -ssl-dir=DIR      with -auth=ssl, holds CA/crt.pem, me/crt.pem and
                    me/private/key.pem; default /etc/amanda/ssl
  -insist-on-safe-key   refuse a private key that others can read; by default
                    that is a warning in the log
  -amandahosts=FILE who may ask for what, a file of the user that this runs as;
                    default .amandahosts in that user's home
  -libexec=DIR      where services are executables; default /usr/lib/amanda
  -own              our own noop and sendbackup (GNU tar) instead of the
                    executables; also -services=own, opposite -services=amanda
  -lists=DIR        with -own, where dumps leave what later levels build on;
                    without it only level 0 is possible
  -no-shm           with -auth=local, have dumps come over the connection
                    instead of shared memory, which needs room in /dev/shm
  -user=NAME        started as root, become this user once it listens; default
                    amandabackup or else backup; root stays root
  -linger=SECONDS   for bsdtcp and ssl, started by inetd with "wait": end when
                    there has been no connection for so long; default 300
  -grace=SECONDS    how long what runs may go on after SIGTERM or SIGINT;
                    default 30; a second signal ends it at once
  -log=FILE         a line for each request goes there, opened anew on SIGHUP;
                    default with -tcp, -udp, -debug and from systemd standard
                    error (unless it is the connection), else nowhere
  -debug            the log has every packet, and the size of all else

As amanda-client.conf has them, which is read as by amandad; these count first:
  -ssl-cert-file=FILE  -ssl-key-file=FILE  -ssl-ca-cert-file=FILE
  -ssl-fingerprint-file=FILE  -ssl-cipher-list=LIST
  -ssl-check-host=no  -ssl-check-certificate-host=no  -ssl-check-fingerprint=no
                    with -auth=ssl
  -unreserved-tcp-port=FIRST,LAST
                    with -auth=bsdudp or bsd, the TCP ports of streams
  -no-config        do not read /etc/amanda/amanda-client.conf

Alone:
  -precompile       leave beside the program what V8 makes of it: each start
                    takes a quarter less time; once after installing it or
                    another Node, as somebody who may write there

Limits:
  -max-connections=N      at once; default 1024
  -max-handles=N          open on one connection; default 1024
  -max-requests=N         at once on one connection; default 16
  -receive-budget=BYTES   kept of one connection until services read it;
                          default 1048576
  -rep-tries=N            times that a reply is sent, every 10 s, until it is
                          acknowledged; default that of the configuration, else
                          5
  -idle=SECONDS           for which a connection is kept on which nothing runs;
                          default 30

  --help            this text

Who may ask for what: as in Amanda. Over bsdtcp, bsdudp and bsd the initiator's
source port and name and the .amandahosts of the user that this runs as; over
ssl its certificate, whose common name is the host in .amandahosts; over local,
ssh and rsh, everybody.

Exit code: 0 when it is done or was asked to end, 1 when it cannot listen or
write its log, 2 for wrong usage, 130 or 143 when asked to end twice.
`;

/**
 * `rx-amandad`: serves as the words say. Resolves to the exit code when that is over; never rejects.
 *
 * The first signal lets what runs finish, up to the grace time. The second ends it at once, with that signal's exit code.
 */
export function amandad(
  words: readonly string[],
  surroundings: AmandadSurroundings,
): Promise<number> {
  const { print, complain, interrupted } = surroundings;
  const told = words.includes('--help')
    ? help
    : words.includes('--version')
      ? `rx-amandad-${packageVersion()}\n`
      : undefined;
  if (told !== undefined) {
    print(told);
    return Promise.resolve(exitCodes.success);
  }
  const first = new ReplaySubject<number>(1);
  const again = new ReplaySubject<number>(1);
  interrupted.pipe(take(1)).subscribe(first);
  interrupted.pipe(skip(1), take(1)).subscribe(again);
  const done = merge(
    defer(() => of(parseAmandad(words))).pipe(
      mergeMap(async (given) => ({ given, ...(await amandadSettings(given, surroundings)) })),
      mergeMap((start) => run(start, { ...surroundings, interrupted: first }, again)),
    ),
    again,
  ).pipe(
    catchError((error: unknown) => {
      if (surroundings.isStderrFree())
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
  surroundings: AmandadSurroundings,
  hurry: Observable<unknown>,
): Observable<number> {
  const { becomeUser, interrupted, hangup } = surroundings;
  const activation = activationOf(given, surroundings);
  const log = new AmandadLog(given, { ...surroundings, activation });
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
  { activation, waiting }: AmandadSurroundings,
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
