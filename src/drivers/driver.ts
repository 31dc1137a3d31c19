import type { Observable } from 'rxjs';
import type { Connection } from '../connection/connection.js';
import type { ConnectionOptions } from '../connection/options.js';

/** A way to reach a target. */
export interface Driver {
  /** The driver's name as Amanda's `auth` option has it. */
  readonly name: string;
  /** The name that requests carry as `SECURITY USER`; undefined if the driver has no such line. */
  readonly user: string | undefined;
  /** The host to reach, for messages. Optional. */
  readonly host?: string;
  /** The port to reach, for messages. Optional; absent when the driver has none of its own. */
  readonly port?: number;
  /**
   * Cold: subscribing makes one attempt to connect and emits one Connection; unsubscribing ends it.
   */
  open(options: ConnectionOptions): Observable<Connection>;
}

/** A way for initiators to reach this target. */
export interface Listener {
  /** The driver's name as Amanda's `auth` option has it. */
  readonly name: string;
  /** Connections that it accepts at once. Optional; absent when there is no bound. */
  readonly maxConnections?: number;
  /**
   * Cold: subscribing listens and emits each accepted Connection; unsubscribing stops listening.
   */
  accept(options: ConnectionOptions): Observable<Connection>;
}
