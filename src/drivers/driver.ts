import type { Observable } from 'rxjs';
import type { Connection } from '../connection/connection.js';
import type { ConnectionOptions } from '../connection/options.js';

/** A way to reach a target. */
export interface Driver {
  /** The driver's name as Amanda's `auth` option has it. */
  readonly name: string;
  /** The name that requests carry as `SECURITY USER`; undefined where the driver has no such line. */
  readonly user: string | undefined;
  /** Cold: subscribing makes one attempt to connect and emits one Connection; unsubscribing ends it. */
  open(options: ConnectionOptions): Observable<Connection>;
}

/** A way for initiators to reach this target. */
export interface Listener {
  /** The driver's name as Amanda's `auth` option has it. */
  readonly name: string;
  /** How many connections it takes at once, where that has a bound; with it a target keeps room for newcomers. */
  readonly maxConnections?: number;
  /** Cold: subscribing starts to listen and emits every Connection that comes in; unsubscribing stops listening. */
  accept(options: ConnectionOptions): Observable<Connection>;
}

/**
 * Of so many connections at once, how many strangers may have: the rest is free for those who come and ask. As many as a system's
 * queue of newcomers holds are kept free, and half of them where there are not so many.
 */
export function placesForStrangers(maxConnections: number): number {
  return maxConnections - Math.min(QUEUED, Math.floor(maxConnections / 2));
}

/** What Node has the system queue for a socket that listens (511), and one more. */
const QUEUED = 512;
