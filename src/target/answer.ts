import { Observable, Subscription, of, type Subscriber } from 'rxjs';
import type { Connection, ProtocolHandle } from '../connection/connection.js';
import { respond, type Admission, type RespondOptions } from '../exchange/respond.js';
import { RunningRequests } from '../exchange/running-requests.js';
import { timingWith, type Timing } from '../exchange/timing.js';
import { admission } from './admission.js';
import { Alarm } from './alarm.js';
import type { ServeOptions, ServiceEvent, ServiceMap } from './serve-options.js';
import type { Stopping } from './stopping.js';
import type { Strangers } from './strangers.js';

/** What a request is told that comes too late. */
const STOPPING = 'amandad is being stopped and takes no new requests';

/** What the connections of one target have in common. */
export interface Target {
  readonly services: ServiceMap;
  readonly options: ServeOptions;
  readonly timing: Timing;
  readonly strangers: Strangers;
  readonly stopping: Stopping;
}

export function targetOf(
  services: ServiceMap,
  options: ServeOptions,
  strangers: Strangers,
  stopping: Stopping,
): Target {
  return { services, options, timing: timingWith(options), strangers, stopping };
}

/** Answers every request on one connection, for as long as it lasts. Unsubscribing closes it. */
export function answer(connection: Connection, target: Target): Observable<ServiceEvent> {
  return new Observable((out) => new Answering(connection, target, out).start());
}

/**
 * One connection at a target. Thousands of them may say nothing for a long time, so it keeps what it needs for that and no more: no chain of
 * operators, and whatever belongs to requests is made when the first one comes.
 */
class Answering {
  readonly #connection: Connection;
  readonly #target: Target;
  readonly #out: Subscriber<ServiceEvent>;
  readonly #subscriptions = new Subscription();
  readonly #idle = new Alarm(() => {
    this.#connection.close();
  });
  #requests: RespondOptions | undefined;
  #active = 0;
  #mayBegin = true;

  constructor(connection: Connection, target: Target, out: Subscriber<ServiceEvent>) {
    this.#connection = connection;
    this.#target = target;
    this.#out = out;
  }

  /** Requests that run now. */
  get value(): number {
    return this.#active;
  }

  start(): () => void {
    this.#target.strangers.came(this.#connection, this);
    this.#out.next({ kind: 'connected', peer: this.#connection.peer });
    this.#waitForNothing();
    const tellNothing = this.#target.stopping.tell(() => {
      this.#waitForNothing();
    });
    this.#subscriptions.add(
      this.#connection.incoming.subscribe({
        next: (handle) => {
          this.#run(handle);
        },
        complete: () => {
          this.#mayBegin = false;
          this.#conclude();
        },
      }),
    );
    return () => {
      this.#idle.stop();
      tellNothing();
      this.#subscriptions.unsubscribe();
      this.#target.strangers.left(this.#connection);
      this.#connection.close();
    };
  }

  #run(handle: ProtocolHandle): void {
    this.#active += 1;
    this.#idle.clear();
    const requests = this.#requestsOrError();
    if (requests === undefined) return;
    const run = respond(this.#connection, handle, requests).subscribe({
      next: (event) => {
        if (event.kind === 'admitted') this.#target.strangers.known(this.#connection);
        this.#out.next(event);
      },
      error: (error: unknown) => {
        this.#out.error(error);
      },
    });
    // Behind its own end it leaves what it was added to.
    this.#subscriptions.add(run);
    run.add(() => {
      this.#active -= 1;
      this.#waitForNothing();
      this.#conclude();
    });
  }

  /** Rules that cannot be made are the error of the target, as they were its maker's mistake; thrown in here they would end the process. */
  #requestsOrError(): RespondOptions | undefined {
    try {
      return (this.#requests ??= this.#makeRequests());
    } catch (error) {
      this.#out.error(error);
      return undefined;
    }
  }

  #makeRequests(): RespondOptions {
    const { services, options, timing } = this.#target;
    const judge = admission(this.#connection, services, () => this.#active, options);
    return {
      admit: (body) =>
        this.#target.stopping.hasBegun
          ? of<Admission>({ kind: 'refused', reason: STOPPING })
          : judge(body),
      timing,
      running: new RunningRequests(),
    };
  }

  /** Closes the connection when nothing runs on it for a while, or at once when everything is to stop. */
  #waitForNothing(): void {
    this.#idle.clear();
    if (this.#active > 0 || !this.#mayBegin || this.#out.closed) return;
    this.#idle.set(this.#target.stopping.hasBegun ? 0 : this.#target.timing.idleTimeout);
  }

  /** Behind the last request, and when no more can come. */
  #conclude(): void {
    if (this.#mayBegin || this.#active > 0 || this.#out.closed) return;
    this.#idle.stop();
    const { peer, ended } = this.#connection;
    const leave = (event: ServiceEvent): void => {
      this.#out.next(event);
      this.#out.complete();
    };
    this.#subscriptions.add(
      ended.subscribe({
        error: (error: unknown) => {
          leave({ kind: 'disconnected', peer, error });
        },
        complete: () => {
          leave({ kind: 'disconnected', peer });
        },
      }),
    );
  }
}
