import type { PeerNameOptions } from '../access/peer.js';
import type { Driver } from '../drivers/driver.js';
import type { CheckOutcome } from './check.js';

export interface DoctorOptions {
  /** Name or address of the target. */
  readonly host: string;
  /** The port that the driver connects to; not used by local, ssh and rsh. Default 10080. */
  readonly port?: number;
  /** How the target is reached. */
  readonly driver: Driver;
  /** Where the choice of auth and port comes from. Optional; the check is absent without it. */
  readonly configuration?: CheckOutcome;
  /** How to look up names. */
  readonly names?: PeerNameOptions;
  /**
   * Milliseconds for a connection, an acknowledgement and a reply each. Default 10,000 for a
   * connection and over UDP, 3,500 for the others.
   */
  readonly patience?: number;
}
