import { Observable, Subscription, finalize, map, of, timer, type Subscriber } from 'rxjs';
import type { Connection, ProtocolHandle } from '../connection/connection.js';
import { respond } from '../exchange/respond.js';
import type { Admission, RespondOptions } from '../exchange/respond-options.js';
import { RunningRequests } from '../exchange/running-requests.js';
import type { Timing } from '../exchange/timing.js';
import type { AddressPenalties } from '../drivers/address-penalties.js';
import { admissionLimits } from '../drivers/admission-limits.js';
import { switchFirst } from '../operators/switch-first.js';
import { admission } from './admission.js';
import { LazyTimer } from './lazy-timer.js';
import type { ServeOptions, ServiceEvent, ServiceMap } from './serve-options.js';
import type { StopSignal } from './stop-signal.js';
import type {
  ConnectionActivity,
  UnauthenticatedConnections,
} from './unauthenticated-connections.js';

const NOW = of(undefined);

/** The NAK for a request that comes too late. */
const STOPPING = 'amandad is being stopped and takes no new requests';

/** What the connections of one target share. */
export interface Target {
  readonly services: ServiceMap;
  readonly options: ServeOptions;
  readonly timing: Timing;
  readonly unauthenticated: UnauthenticatedConnections;
  readonly penalties: AddressPenalties;
  readonly stopSignal: StopSignal;
}

/** Answers every request on one connection, for as long as it lasts. Unsubscribing closes it. */
export function answerRequests(connection: Connection, target: Target): Observable<ServiceEvent> {
  return new Observable((out) => new ServedConnection(connection, target, out).start());
}

/**
 * One connection at a target.
 *
 * Thousands of connections may be idle, so an idle one holds no chain of operators. What requests
 * need is made when the first one comes.
 */
class ServedConnection implements ConnectionActivity {
  readonly #connection: Connection;
  readonly #target: Target;
  readonly #out: Subscriber<ServiceEvent>;
  readonly #subscriptions = new Subscription();
  readonly #idleTimer = new LazyTimer(() => {
    this.#connection.close();
  });
  #respondOptions: RespondOptions | undefined;
  #activeRequests = 0;
  /** Those of them that are refused and wait for their answer. */
  #delayedRefusals = 0;
  #isAuthenticated = false;
  #mayBegin = true;

  constructor(connection: Connection, target: Target, out: Subscriber<ServiceEvent>) {
    this.#connection = connection;
    this.#target = target;
    this.#out = out;
  }

  get activeRequests(): number {
    return this.#activeRequests - this.#delayedRefusals;
  }

  start(): () => void {
    const { unauthenticated, stopSignal } = this.#target;
    unauthenticated.add(this.#connection, this);
    this.#out.next({ kind: 'connected', peer: this.#connection.peer });
    this.#restartIdleTimer();
    const removeListener = stopSignal.onStop(() => {
      this.#restartIdleTimer();
    });
    this.#subscriptions.add(
      this.#connection.incoming.subscribe({
        next: (handle) => {
          this.#run(handle);
        },
        complete: () => {
          this.#mayBegin = false;
          this.#concludeIfOver();
        },
      }),
    );
    return () => {
      this.#idleTimer.stop();
      removeListener();
      this.#subscriptions.unsubscribe();
      unauthenticated.delete(this.#connection);
      this.#connection.close();
    };
  }

  #run(handle: ProtocolHandle): void {
    this.#activeRequests += 1;
    this.#idleTimer.clear();
    const options = this.#optionsOrError();
    if (options === undefined) return;
    const run = respond(this.#connection, handle, options).subscribe({
      next: (event) => {
        if (event.kind === 'admitted') this.#authenticated();
        this.#out.next(event);
      },
      error: (error: unknown) => {
        this.#out.error(error);
      },
    });
    // It removes itself from the parent when it ends.
    this.#subscriptions.add(run);
    run.add(() => {
      this.#activeRequests -= 1;
      this.#restartIdleTimer();
      this.#concludeIfOver();
    });
  }

  #authenticated(): void {
    this.#isAuthenticated = true;
    this.#target.unauthenticated.authenticated(this.#connection);
  }

  /**
   * Counts a refusal of a stranger, and emits when it may be answered: later if its address was
   * refused too often.
   */
  #refusing(): Observable<unknown> {
    const { address } = this.#connection.peer;
    if (this.#isAuthenticated || address === undefined) return NOW;
    const { penalties } = this.#target;
    penalties.refused(address);
    const delay = penalties.delayOf(address);
    if (delay === 0 || this.#delayedRefusals >= admissionLimits.delayedRefusals) return NOW;
    this.#delayedRefusals += 1;
    return timer(delay).pipe(
      finalize(() => {
        this.#delayedRefusals -= 1;
      }),
    );
  }

  /** Access rules that throw are the caller's mistake: they end the target's Observable. */
  #optionsOrError(): RespondOptions | undefined {
    try {
      return (this.#respondOptions ??= this.#makeOptions());
    } catch (error) {
      this.#out.error(error);
      return undefined;
    }
  }

  #makeOptions(): RespondOptions {
    const { services, options, timing, stopSignal } = this.#target;
    const judge = admission(this.#connection, services, () => this.#activeRequests, options);
    return {
      admit: (body) =>
        stopSignal.isStopping
          ? of<Admission>({ kind: 'refused', reason: STOPPING })
          : judge(body).pipe(
              switchFirst((judged): Admission | Observable<Admission> =>
                judged.kind === 'admitted' ? judged : this.#refusing().pipe(map(() => judged)),
              ),
            ),
      refuseToBegin: () => this.#refusing(),
      timing,
      running: new RunningRequests(),
    };
  }

  /** Closes an idle connection after a while, or immediately when the target is stopping. */
  #restartIdleTimer(): void {
    this.#idleTimer.clear();
    if (this.#activeRequests > 0 || !this.#mayBegin || this.#out.closed) return;
    const { stopSignal, timing } = this.#target;
    this.#idleTimer.set(stopSignal.isStopping ? 0 : timing.idleTimeout);
  }

  /** After the last request, when no more can come. */
  #concludeIfOver(): void {
    if (this.#mayBegin || this.#activeRequests > 0 || this.#out.closed) return;
    this.#idleTimer.stop();
    const { peer, ended } = this.#connection;
    const conclude = (event: ServiceEvent): void => {
      this.#out.next(event);
      this.#out.complete();
    };
    this.#subscriptions.add(
      ended.subscribe({
        error: (error: unknown) => {
          conclude({ kind: 'disconnected', peer, error });
        },
        complete: () => {
          conclude({ kind: 'disconnected', peer });
        },
      }),
    );
  }
}
