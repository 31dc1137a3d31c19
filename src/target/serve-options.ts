import type { Observable } from 'rxjs';
import type { Peer } from '../transport/channel.js';
import type { ConnectionOptions } from '../connection/options.js';
import type { ExchangeEvent } from '../exchange/exchange-event.js';
import type { Service } from '../exchange/service.js';
import type { Timing } from '../exchange/timing.js';
import type { AdmissionOptions } from './admission.js';

/** The services of a target by name. */
export type ServiceMap = Readonly<Record<string, Service>>;

/** Options of {@link serve}: access, bounds and times. */
export interface ServeOptions
  extends
    ConnectionOptions,
    AdmissionOptions,
    Partial<Pick<Timing, 'serviceTimeout' | 'replyAckTimeout' | 'replyTries' | 'idleTimeout'>> {
  /**
   * When it emits, the target accepts no connection and refuses new requests. Running requests may
   * finish; each connection is closed after its last one. Default: never.
   */
  readonly stop?: Observable<unknown>;
}

/** What happens on one connection of a target. */
export type ServiceEvent =
  | { readonly kind: 'connected'; readonly peer: Peer }
  | { readonly kind: 'disconnected'; readonly peer: Peer; readonly error?: unknown }
  | ExchangeEvent;
