import type { LookupAddress } from 'node:dns';
import {
  catchError,
  defer,
  filter,
  forkJoin,
  from,
  map,
  of,
  race,
  shareReplay,
  switchMap,
  takeLast,
  takeUntil,
  timer,
  type Observable,
} from 'rxjs';
import { SSL_PORT } from '../drivers/ssl/ssl.js';
import { connect } from '../initiator/connect.js';
import { noop, type Noop } from '../initiator/noop.js';
import { onConnection } from '../initiator/on-connection.js';
import type { Timing } from '../exchange/timing.js';
import { AMANDA_PORT } from '../wire/role.js';
import { isAmandaError, type AmandaErrorCode } from '../wire/errors.js';
import type { DoctorOptions } from './doctor-options.js';
import { identify, type Speech } from './probes/identify.js';
import { probeTcp, type TcpProbe } from './probes/probe-tcp.js';

/** The answer to noop, or why there is none. */
export type NoopAnswer =
  | { readonly kind: 'answered'; readonly noop: Noop; readonly ms: number }
  | { readonly kind: 'failed'; readonly error: unknown };

/** An address of the target, and what a TCP connection to it does. */
export interface ProbedAddress {
  readonly address: string;
  readonly probe: TcpProbe;
}

/** The times of the requests of all checks. */
export type DoctorTiming = Pick<
  Timing,
  | 'connectTimeout'
  | 'connectTries'
  | 'ackTimeout'
  | 'requestTries'
  | 'replyTimeout'
  | 'replyRestarts'
>;

/** What several checks need to know of a target; each fact is found out once, when it is needed. */
export interface TargetFacts {
  readonly options: DoctorOptions;
  readonly host: string;
  readonly port: number;
  readonly auth: string;
  /** Errors as the system's resolver does. */
  readonly addresses: Observable<readonly LookupAddress[]>;
  /** Every address, connected to by TCP. Errors as `addresses` does. */
  readonly tcp: Observable<readonly ProbedAddress[]>;
  readonly noop: Observable<NoopAnswer>;
  /** What the open TCP port speaks. Looks when noop fails or is late; empty when it is answered. */
  readonly speech: Observable<Speech>;
  readonly timing: DoctorTiming;
}

/** The time for a connection: a firewall that drops packets is named within 12 s. */
const CONNECT_WITHIN = 9_000;
/** The time for an answer by datagrams, with a look at TCP after it. */
const DATAGRAM_WITHIN = 8_500;
/** The time for a connection that is no part of the way. */
const ASIDE_WITHIN = 1_500;
/** The time for an answer over an open connection. */
const ANSWER_WITHIN = 3_500;
/** A login comes before the answer. */
const LOGIN_WITHIN = 4_200;
/** Datagrams are lost, and inetd's amandad ends between two of them; so each is sent again. */
const DATAGRAM_TRIES = 5;

/** The facts of a target. */
export function targetFacts(options: DoctorOptions): TargetFacts {
  const { host, driver, port = driver.name === 'ssl' ? SSL_PORT : AMANDA_PORT } = options;
  const timing = doctorTiming(options);
  const tcpWithin = isDatagramAuth(driver.name) ? ASIDE_WITHIN : timing.connectTimeout;
  const addresses = defer(() => from(lookUp(host))).pipe(
    shareReplay({ bufferSize: 1, refCount: true }),
  );
  const tcp = addresses.pipe(
    switchMap((found) =>
      forkJoin(
        found.map(({ address }) =>
          probeTcp(address, port, tcpWithin).pipe(map((probe) => ({ address, probe }))),
        ),
      ),
    ),
    shareReplay({ bufferSize: 1, refCount: true }),
  );
  const noopAnswer = defer(() => askNoop(options, timing)).pipe(
    shareReplay({ bufferSize: 1, refCount: true }),
  );
  return {
    options,
    host,
    port,
    auth: driver.name,
    timing,
    addresses,
    tcp,
    noop: noopAnswer,
    speech: race(timer(LATE), noopAnswer.pipe(filter((answer) => !isAmanda(answer)))).pipe(
      switchMap(() => tcp),
      switchMap((probed) => {
        const open = probed.find(({ probe }) => probe.kind === 'open');
        return open === undefined
          ? of<Speech>({ kind: 'silent' })
          : identify(open.address, port, driver.name);
      }),
      takeUntil(noopAnswer.pipe(filter(isAmanda))),
      shareReplay({ bufferSize: 1, refCount: true }),
    ),
  };
}

/** An answer that is later than this has the peer identified meanwhile. */
const LATE = 1_500;

function askNoop({ driver }: DoctorOptions, timing: DoctorTiming): Observable<NoopAnswer> {
  const started = performance.now();
  return connect(driver, timing).pipe(
    onConnection((connection) => of(connection).pipe(noop(timing))),
    takeLast(1),
    map((answer): NoopAnswer => ({
      kind: 'answered',
      noop: answer,
      ms: performance.now() - started,
    })),
    catchError((error: unknown) => of<NoopAnswer>({ kind: 'failed', error })),
  );
}

/** The codes of answers that only an Amanda gives. */
const amandaCodes: ReadonlySet<AmandaErrorCode> = new Set<AmandaErrorCode>([
  'REFUSED',
  'SERVICE_FAILED',
  'BAD_REPLY',
  'BAD_FEATURES',
  'REP_TIMEOUT',
]);

/** Whether an Amanda answered, even with a refusal. */
export function isAmanda(answer: NoopAnswer): boolean {
  return (
    answer.kind === 'answered' ||
    (isAmandaError(answer.error) && amandaCodes.has(answer.error.code))
  );
}

/** Whether the driver's packets are datagrams. */
export function isDatagramAuth(auth: string): boolean {
  return auth === 'bsd' || auth === 'bsdudp';
}

function answerWithin(auth: string): number {
  if (isDatagramAuth(auth)) return DATAGRAM_WITHIN;
  return auth === 'ssh' || auth === 'rsh' ? LOGIN_WITHIN : ANSWER_WITHIN;
}

function doctorTiming({ driver, patience }: DoctorOptions): DoctorTiming {
  const answer = patience ?? answerWithin(driver.name);
  const tries = isDatagramAuth(driver.name) ? DATAGRAM_TRIES : 1;
  return {
    connectTimeout: patience ?? CONNECT_WITHIN,
    connectTries: 1,
    ackTimeout: Math.ceil(answer / tries),
    requestTries: tries,
    replyTimeout: answer,
    replyRestarts: 0,
  };
}

async function lookUp(host: string): Promise<readonly LookupAddress[]> {
  const { lookup } = await import('node:dns/promises');
  return lookup(host, { all: true, order: 'verbatim' });
}
