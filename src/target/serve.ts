import {
  BehaviorSubject,
  EMPTY,
  NEVER,
  Observable,
  ReplaySubject,
  catchError,
  combineLatest,
  concat,
  defaultIfEmpty,
  defer,
  endWith,
  finalize,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  switchMap,
  take,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import type { Peer } from '../connection/channel.js';
import type { Connection } from '../connection/connection.js';
import type { ConnectionOptions } from '../connection/options.js';
import type { Listener } from '../drivers/driver.js';
import { respond, type ExchangeEvent } from '../exchange/respond.js';
import type { Service } from '../exchange/service.js';
import { defaultTiming, type Timing } from '../exchange/timing.js';
import { admission, type AdmissionOptions } from './admission.js';
import { Strangers } from './strangers.js';

/** The services of a target by name. Only these can be asked for. */
export type ServiceMap = Readonly<Record<string, Service>>;

export interface ServeOptions
  extends ConnectionOptions, AdmissionOptions, Partial<Pick<Timing, 'serviceTimeout' | 'replyAckTimeout' | 'replyTries' | 'idleTimeout'>> {
  /**
   * When it emits, no connection is accepted any more, requests that come are refused, and what runs may finish: each
   * connection is closed behind its last request. Default: never.
   */
  readonly stop?: Observable<unknown>;
}

/** What happens at a target, to one of its connections. */
export type ServiceEvent =
  | { readonly kind: 'connected'; readonly peer: Peer }
  | { readonly kind: 'disconnected'; readonly peer: Peer; readonly error?: unknown }
  | (ExchangeEvent & { readonly peer: Peer });

/**
 * Accepts initiators and runs services for them.
 *
 *     listener  ---C-----------------        C: a connection comes in
 *     events    ---c-a--r--------e-d-        connected, admitted, replied, ended, disconnected
 *
 * Runs until it is unsubscribed, which ends every connection and service, or, after `stop` has emitted, until the last
 * request is over. A connection on which nothing runs is closed after 30 s. When a listener's connections become too many, those on
 * which nothing was ever admitted end with `TOO_MANY_CONNECTIONS`, the longest there first. Errors only when the listener does.
 * Source: PROTOCOL.md, "The exchange: target".
 */
export function serve(listener: Listener, services: ServiceMap, options: ServeOptions = {}): Observable<ServiceEvent> {
  return defer(() => {
    const stop = new ReplaySubject<unknown>(1);
    const stopping = options.stop?.subscribe(stop);
    const strangers = new Strangers(listener.maxConnections);
    const connections = listener.accept(options).pipe(takeUntil(stop));
    return connections.pipe(
      mergeMap((connection) => answer(connection, services, { ...options, stop }, strangers)),
      finalize(() => stopping?.unsubscribe()),
    );
  });
}

/** What a request is told that comes too late. */
const STOPPING = 'amandad is being stopped and takes no new requests';

/** Answers every request on one connection, for as long as it lasts. */
export function serveConnection(connection: Connection, services: ServiceMap, options: ServeOptions = {}): Observable<ServiceEvent> {
  return answer(connection, services, options, new Strangers());
}

function answer(connection: Connection, services: ServiceMap, options: ServeOptions, strangers: Strangers): Observable<ServiceEvent> {
  const { peer } = connection;
  const timing = { ...defaultTiming, ...options };
  return defer(() => {
    const active = new BehaviorSubject(0);
    const stopping = new BehaviorSubject(false);
    const judge = admission(connection, services, () => active.value, options);
    const admit: typeof judge = (body) => (stopping.value ? of({ kind: 'refused', reason: STOPPING }) : judge(body));
    const running = new Set<string>();
    strangers.came(connection, active);
    const exchanges = connection.incoming.pipe(
      mergeMap((handle) => {
        active.next(active.value + 1);
        return respond(connection, handle, { admit, timing, running }).pipe(
          finalize(() => {
            active.next(active.value - 1);
          }),
        );
      }),
      map((event): ServiceEvent => {
        if (event.kind === 'admitted') strangers.known(connection);
        return { ...event, peer };
      }),
    );
    return concat(
      of<ServiceEvent>({ kind: 'connected', peer }),
      merge(noteStop(connection, options.stop, stopping), exchanges, closeWhenIdle(connection, active, stopping, timing.idleTimeout)),
      disconnection(connection),
    );
  }).pipe(
    finalize(() => {
      strangers.left(connection);
      connection.close();
    }),
  );
}

function noteStop(connection: Connection, stop: Observable<unknown> = NEVER, stopping: BehaviorSubject<boolean>): Observable<never> {
  return stop.pipe(
    take(1),
    tap(() => {
      stopping.next(true);
    }),
    ignoreElements(),
    takeUntil(endOf(connection)),
  );
}

function closeWhenIdle(connection: Connection, active: Observable<number>, stopping: Observable<boolean>, idleTimeout: number): Observable<never> {
  return combineLatest([active, stopping]).pipe(
    switchMap(([count, hurried]) => (count === 0 ? timer(hurried ? 0 : idleTimeout) : NEVER)),
    tap(() => {
      connection.close();
    }),
    ignoreElements(),
    takeUntil(endOf(connection)),
  );
}

function endOf({ ended }: Connection): Observable<unknown> {
  return ended.pipe(
    catchError(() => EMPTY),
    endWith(true),
  );
}

function disconnection({ peer, ended }: Connection): Observable<ServiceEvent> {
  return ended.pipe(
    catchError((error: unknown) => of<ServiceEvent>({ kind: 'disconnected', peer, error })),
    defaultIfEmpty<ServiceEvent, ServiceEvent>({ kind: 'disconnected', peer }),
  );
}
