import type { Connection } from '../connection/connection.js';
import { describePeer } from '../transport/channel.js';
import { EvictionPolicy, evictionThreshold } from '../drivers/eviction-policy.js';
import { AmandaError } from '../wire/errors.js';

/** How busy a connection is. */
export interface ConnectionActivity {
  /** Requests that run on it or wait for a verdict. */
  readonly activeRequests: number;
}

/**
 * The connections of a target on which no request was admitted yet.
 *
 * When the target has too many connections, one of these that has no active request is aborted
 * with `TOO_MANY_CONNECTIONS`. So silent peers cannot keep others out.
 */
export class UnauthenticatedConnections {
  readonly #threshold: number;
  readonly #maxConnections: number | undefined;
  readonly #all = new Set<Connection>();
  readonly #unauthenticated = new EvictionPolicy<Connection>();

  /** `maxConnections`: what the listener accepts at once; undefined when that is unbounded. */
  constructor(maxConnections?: number) {
    this.#maxConnections = maxConnections;
    this.#threshold = maxConnections === undefined ? Infinity : evictionThreshold(maxConnections);
  }

  add(connection: Connection, activity: ConnectionActivity): void {
    this.#all.add(connection);
    if (this.#all.size > this.#threshold) this.#evictOne();
    this.#unauthenticated.add(
      connection,
      connection.peer.address,
      () => activity.activeRequests === 0,
    );
  }

  /** Notes that a request was admitted on it. */
  authenticated(connection: Connection): void {
    this.#unauthenticated.delete(connection);
  }

  delete(connection: Connection): void {
    this.#all.delete(connection);
    this.#unauthenticated.delete(connection);
  }

  #evictOne(): void {
    const evicted = this.#unauthenticated.pick();
    if (evicted === undefined) return;
    this.delete(evicted);
    evicted.abort(this.#tooMany(evicted));
  }

  #tooMany({ peer }: Connection): AmandaError {
    const name = describePeer(peer);
    return new AmandaError(
      'TOO_MANY_CONNECTIONS',
      `No request of ${name} was admitted, and other connections need its place: at most ${this.#maxConnections ?? 0} connections.`,
      { peer: name },
    );
  }
}
