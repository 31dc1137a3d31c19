import type { PeerNameOptions } from '../access/peer.js';
import type { Driver } from '../drivers/driver.js';
import type { SshOptions } from '../drivers/ssh.js';
import type { CertificateOptions } from '../drivers/ssl/ssl.js';
import type { Dle } from '../wire/dle/dle.js';
import type { CheckOutcome } from './check.js';

/** Options of {@link doctor}: the target, and how it is reached. */
export interface DoctorOptions {
  /** Name or address of the target. */
  readonly host: string;
  /** The port that the driver connects to. Default 10080, for ssl 10081; none for local and rsh. */
  readonly port?: number;
  /** How the target is reached. */
  readonly driver: Driver;
  /** Where the choice of auth and port comes from. Optional; the check is absent without it. */
  readonly configuration?: CheckOutcome;
  /** The certificates and rules of the driver `ssl`. */
  readonly certificates?: CertificateOptions;
  /** The options of the driver `ssh`; `host` and `port` above are not used then. */
  readonly ssh?: SshOptions;
  /** The disks to check and to estimate on the target; default none. */
  readonly disks?: readonly Dle[];
  /** Seconds for the estimate of a disk, or negative for that of all; default 300. */
  readonly etimeout?: number;
  /** Also examine whether the target can reach amindexd on this host. Default false. */
  readonly bothWays?: boolean;
  /** How to look up names. */
  readonly names?: PeerNameOptions;
  /**
   * Milliseconds for a connection, an acknowledgement and a reply each. Default 9,000 for a
   * connection, 8,500 for an answer over UDP, and 3,500 for one over the others.
   */
  readonly patience?: number;
}
