import { ReplaySubject, defer, finalize, mergeMap, takeUntil, type Observable } from 'rxjs';
import type { Connection } from '../connection/connection.js';
import type { Listener } from '../drivers/driver.js';
import { answer, targetOf } from './answer.js';
import type { ServeOptions, ServiceEvent, ServiceMap } from './serve-options.js';
import { Stopping } from './stopping.js';
import { Strangers } from './strangers.js';

export type { ServeOptions, ServiceEvent, ServiceMap };

/**
 * Accepts initiators and runs services for them.
 *
 *     listener  ---C-----------------        C: a connection comes in
 *     events    ---c-a--r--------e-d-        connected, admitted, replied, ended, disconnected
 *
 * Runs until it is unsubscribed, which ends every connection and service, or, after `stop` has emitted, until the last
 * request is over. A connection on which nothing runs is closed after 30 s. When a listener's connections become too many, those on
 * which nothing was ever admitted end with `TOO_MANY_CONNECTIONS`, those there longest and from where most come first. Errors only when the listener does.
 * Source: PROTOCOL.md, "The exchange: target".
 */
export function serve(
  listener: Listener,
  services: ServiceMap,
  options: ServeOptions = {},
): Observable<ServiceEvent> {
  return defer(() => {
    const stop = new ReplaySubject<unknown>(1);
    const stopping = new Stopping();
    stop.subscribe({
      next: () => {
        stopping.begin();
      },
      // What `stop` errors with ends the connections' Observable.
      error: () => undefined,
    });
    const heard = options.stop?.subscribe(stop);
    const strangers = new Strangers(listener.maxConnections);
    const connections = listener.accept(options).pipe(takeUntil(stop));
    const target = targetOf(services, options, strangers, stopping);
    return connections.pipe(
      mergeMap((connection) => answer(connection, target)),
      finalize(() => heard?.unsubscribe()),
    );
  });
}

/** Answers every request on one connection, for as long as it lasts. */
export function serveConnection(
  connection: Connection,
  services: ServiceMap,
  options: ServeOptions = {},
): Observable<ServiceEvent> {
  return defer(() => {
    const stopping = new Stopping();
    const heard = options.stop?.subscribe(() => {
      stopping.begin();
    });
    return answer(connection, targetOf(services, options, new Strangers(), stopping)).pipe(
      finalize(() => heard?.unsubscribe()),
    );
  });
}
