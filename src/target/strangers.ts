import type { Connection } from '../connection/connection.js';
import { describePeer } from '../transport/channel.js';
import { Crowd } from '../drivers/crowd.js';
import { placesForStrangers } from '../drivers/driver.js';
import { AmandaError } from '../wire/errors.js';

/**
 * The connections of a target, and those among them that are strangers: on which nothing was ever admitted, and nothing is being
 * judged. When there are too many connections, a stranger goes that has been there long, so that silence cannot keep others out.
 */
export class Strangers {
  readonly #places: number;
  readonly #maxConnections: number | undefined;
  readonly #all = new Set<Connection>();
  readonly #strangers = new Crowd<Connection>();

  /** `maxConnections`: what the listener takes at once; undefined where that has no bound. */
  constructor(maxConnections?: number) {
    this.#maxConnections = maxConnections;
    this.#places = maxConnections === undefined ? Infinity : placesForStrangers(maxConnections);
  }

  /** One more connection; `active` is how many requests there are on it. */
  came(connection: Connection, active: { readonly value: number }): void {
    this.#all.add(connection);
    if (this.#all.size > this.#places) this.#makeRoom();
    this.#strangers.add(connection, connection.peer.address, () => active.value === 0);
  }

  /** A request was admitted on it. */
  known(connection: Connection): void {
    this.#strangers.delete(connection);
  }

  left(connection: Connection): void {
    this.#all.delete(connection);
    this.#strangers.delete(connection);
  }

  #makeRoom(): void {
    const stranger = this.#strangers.chosen();
    if (stranger === undefined) return;
    this.left(stranger);
    stranger.abort(this.#crowded(stranger));
  }

  #crowded({ peer }: Connection): AmandaError {
    const name = describePeer(peer);
    return new AmandaError(
      'TOO_MANY_CONNECTIONS',
      `${name} was let in to nothing, and others need its place: at most ${this.#maxConnections ?? 0} connections.`,
      {
        peer: name,
      },
    );
  }
}
