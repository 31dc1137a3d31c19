import { catchError, defer, finalize, firstValueFrom, ignoreElements, map, merge, of, endWith, take, tap, type Observable } from 'rxjs';
import { listenBsd } from '../drivers/bsd.js';
import { listenBsdtcp } from '../drivers/bsdtcp.js';
import { listenBsdudp } from '../drivers/bsdudp.js';
import type { Listener } from '../drivers/driver.js';
import { listenSsl } from '../drivers/ssl.js';
import { listenSslStdio } from '../drivers/ssl-stdio.js';
import { listenStdio } from '../drivers/stdio.js';
import { serve, type ServeOptions } from '../target/serve.js';
import { parseAmandad, type AmandadArguments } from './amandad-arguments.js';
import { openLog, requestLog, type Log } from './amandad-log.js';
import { servicesOf } from './amandad-services.js';
import { exitCodeOf, exitCodes } from './exit.js';
import { traceFrames } from './trace.js';
import { packageVersion } from './version.js';

/** What an amandad has around it besides its channel. Tests bring their own. */
export interface AmandadSurroundings {
  readonly print: (text: string) => void;
  /** Writes a line to standard error. */
  readonly complain: (line: string) => void;
  readonly isStderrFree: () => boolean;
  /** Emits when a signal asks it to end. */
  readonly interrupted: Observable<unknown>;
}

const help = `Usage: rx-amandad [OPTION…] [SERVICE…]

A target of the Amanda backup system: does what amandad does. inetd, xinetd or
an initiator starts it with the connection on standard input and output; with
-tcp or -udp it listens by itself.

As amandad has them:
  -auth=NAME        bsdtcp (default), ssl, local, ssh or rsh; for servers that
                    have none of these bsdudp or bsd
  -tcp=PORT         listen on this port and serve one connection
  -udp=PORT         the same for bsdudp and bsd; from inetd these need "wait"
  -no-exit          with -tcp or -udp serve any number of connections; without
                    them keep a connection on which nothing runs
  --version         the version of this program
  SERVICE…          the services that may be asked for; amdump stands for noop,
                    sendsize, sendbackup and selfcheck. Default: those,
                    senddiscover and restore; with -auth=local, ssh and
                    rsh all

Ours:
  -listen=ADDRESS   with -tcp or -udp, listen on this address only; default all
  -ssl-dir=DIR      with -auth=ssl, holds CA/crt.pem, me/crt.pem and
                    me/private/key.pem; default /etc/amanda/ssl
  -libexec=DIR      where services are executables; default /usr/lib/amanda
  -own              our own noop and sendbackup (GNU tar) instead of the
                    executables; also -services=own, opposite -services=amanda
  -lists=DIR        with -own, where dumps leave what later levels build on;
                    without it only level 0 is possible
  -log=FILE         a line for each request goes there; default with -tcp,
                    -udp and -debug standard error (unless it is the
                    connection), else nowhere
  -debug            the log has every frame
  --help            this text

Who may ask for what: as in Amanda. Over bsdtcp, bsdudp and bsd the initiator's
source port and name and the .amandahosts of the user that this runs as; over
ssl its certificate, whose common name is the host in .amandahosts; over local,
ssh and rsh, everybody.

Exit code: 0 when it is done or was asked to end, 1 when it cannot listen or
write its log, 2 for wrong usage.
`;

/** `rx-amandad`: serves as the words say. Resolves to the exit code when that is over; never rejects. */
export function amandad(words: readonly string[], surroundings: AmandadSurroundings): Promise<number> {
  const { print, complain, interrupted } = surroundings;
  const told = words.includes('--help') ? help : words.includes('--version') ? `rx-amandad-${packageVersion()}\n` : undefined;
  if (told !== undefined) {
    print(told);
    return Promise.resolve(exitCodes.success);
  }
  const done = merge(
    defer(() => run(parseAmandad(words), surroundings)),
    interrupted.pipe(map(() => exitCodes.success)),
  ).pipe(
    catchError((error: unknown) => {
      if (surroundings.isStderrFree()) complain(`rx-amandad: ${error instanceof Error ? error.message : String(error)}`);
      return of(exitCodeOf(error) === exitCodes.usage ? exitCodes.usage : exitCodes.failed);
    }),
  );
  return firstValueFrom(done, { defaultValue: exitCodes.success });
}

function run(given: AmandadArguments, { isStderrFree, complain }: AmandadSurroundings): Observable<number> {
  const file = given.log === undefined ? undefined : openLog(given.log);
  // What an initiator has started speaks on that one's standard error, and is silent unless asked.
  const mayLog = (given.tcpPort !== undefined || given.udpPort !== undefined || given.debug) && isStderrFree();
  const log: Log = file?.log ?? (mayLog ? complain : () => undefined);
  return serve(tracedIf(given.debug, listenerOf(given, log), log), servicesOf(given), serveOptions(given)).pipe(
    tap(requestLog(log)),
    ignoreElements(),
    endWith(exitCodes.success),
    finalize(() => file?.close()),
  );
}

function listenerOf(given: AmandadArguments, log: Log): Listener {
  if (given.auth === 'bsdudp' || given.auth === 'bsd') return datagramListenerOf(given, given.auth, log);
  const { auth, tcpPort: port, listen: host, noExit, sslDir } = given;
  const certificates = { ...(sslDir === undefined ? {} : { sslDir }), onWarning: ({ message }: Error) => log(message) };
  if (port === undefined) return auth === 'ssl' ? listenSslStdio(certificates) : listenStdio({ auth });
  const onListening = (bound: number): void => {
    log(`listening on ${host ?? 'all addresses'} port ${bound}`);
  };
  const place = { port, onListening, ...(host === undefined ? {} : { host }) };
  const listener = auth === 'ssl' ? listenSsl({ ...place, ...certificates }) : listenBsdtcp(place);
  return noExit ? listener : { ...listener, accept: (options) => listener.accept(options).pipe(take(1)) };
}

function datagramListenerOf({ udpPort, listen: host, noExit }: AmandadArguments, auth: 'bsdudp' | 'bsd', log: Log): Listener {
  const onListening = (bound: number): void => {
    log(`listening on ${host ?? 'all addresses'} port ${bound}/udp`);
  };
  const listen = auth === 'bsd' ? listenBsd : listenBsdudp;
  return listen({ port: udpPort ?? 'inherited', untilIdle: !noExit, onListening, ...(host === undefined ? {} : { host }) });
}

function tracedIf(debug: boolean, listener: Listener, log: Log): Listener {
  if (!debug) return listener;
  return { ...listener, accept: (options) => listener.accept(options).pipe(traceFrames(log)) };
}

/** Longer than any backup, and the longest that a timer can wait. */
const NEVER = 0x7fff_ffff;

function serveOptions({ auth, tcpPort, noExit }: AmandadArguments): ServeOptions {
  const hasOneConnection = tcpPort === undefined && auth !== 'bsdudp' && auth !== 'bsd';
  return noExit && hasOneConnection ? { idleTimeout: NEVER } : {};
}
