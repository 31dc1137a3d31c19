import { ReplaySubject, defer, finalize, mergeMap, takeUntil, tap, type Observable } from 'rxjs';
import type { Connection } from '../connection/connection.js';
import { AddressPenalties } from '../drivers/address-penalties.js';
import type { Listener } from '../drivers/driver.js';
import { checkArgument, checkMethods } from '../wire/arguments.js';
import { timingWith } from '../exchange/timing.js';
import type { ServeOptions, ServiceEvent, ServiceMap } from './serve-options.js';
import { publish } from './channels.js';
import { answerRequests, type Target } from './served-connection.js';
import { StopSignal } from './stop-signal.js';
import { UnauthenticatedConnections } from './unauthenticated-connections.js';

export type { ServeOptions, ServiceEvent, ServiceMap };

/**
 * Accepts initiators and runs services for them.
 *
 *     listener  ---C-----------------        C: a connection comes in
 *     events    ---c-a--r--------e-d-        connected, admitted, replied, ended, disconnected
 *
 * Unsubscribing ends every connection and service. After `stop` emits, it completes with the last
 * request. A connection without a request is closed after 30 s. When a listener has too many
 * connections, those on which no request was admitted end with `TOO_MANY_CONNECTIONS`, the oldest
 * of the busiest network first. Errors only when the listener errors.
 * Source: PROTOCOL.md, "The exchange: target".
 *
 * @example
 * ```ts
 * import { allowed, listenBsdtcp, noopService, serve } from 'rx-amanda';
 *
 * serve(listenBsdtcp({ port: 10080 }), { noop: noopService() }, {
 *   authorize: () => allowed, // every request of every peer
 * }).subscribe((event) => console.log(event.kind));
 * ```
 */
export function serve(
  listener: Listener,
  services: ServiceMap,
  options: ServeOptions = {},
): Observable<ServiceEvent> {
  checkMethods('The listener of serve', listener, 'accept');
  checkServices(services);
  return defer(() => {
    const stop = new ReplaySubject<unknown>(1);
    const target = targetOf(services, options, listener.maxConnections);
    stop.subscribe({
      next: () => {
        target.stopSignal.stop();
      },
      // An error of `stop` ends `connections`, which reports it.
      error: () => undefined,
    });
    const stopping = options.stop?.subscribe(stop);
    const connections = listener.accept(options).pipe(takeUntil(stop));
    return connections.pipe(
      mergeMap((connection) => answerRequests(connection, target)),
      tap(publish),
      finalize(() => stopping?.unsubscribe()),
    );
  });
}

/**
 * Answers every request on one connection, for as long as it lasts.
 *
 *     events  --a-r--------e-d|        admitted, replied, ended, disconnected
 *
 * A connection that breaks is the event `disconnected`. For a listener, {@link serve} does this and
 * bounds what all its connections cost.
 *
 * @example
 * ```ts
 * import { listenBsdtcp, noopService, serveConnection } from 'rx-amanda';
 * import { mergeMap } from 'rxjs';
 *
 * const services = { noop: noopService() };
 *
 * listenBsdtcp({ port: 10080 })
 *   .accept({})
 *   .pipe(mergeMap((connection) => serveConnection(connection, services)))
 *   .subscribe((event) => console.log(event.kind));
 * ```
 */
export function serveConnection(
  connection: Connection,
  services: ServiceMap,
  options: ServeOptions = {},
): Observable<ServiceEvent> {
  checkServices(services);
  return defer(() => {
    const target = targetOf(services, options);
    const stopping = options.stop?.subscribe(() => {
      target.stopSignal.stop();
    });
    return answerRequests(connection, target).pipe(
      tap(publish),
      finalize(() => stopping?.unsubscribe()),
    );
  });
}

function checkServices(services: ServiceMap): void {
  checkArgument('The services of a target', services, 'object');
  for (const [name, service] of Object.entries(services))
    checkArgument(`The service ${name}`, service, 'function');
}

function targetOf(services: ServiceMap, options: ServeOptions, maxConnections?: number): Target {
  return {
    services,
    options,
    timing: timingWith(options),
    unauthenticated: new UnauthenticatedConnections(maxConnections),
    penalties: new AddressPenalties(),
    stopSignal: new StopSignal(),
  };
}
