import type { StreamSource } from '../../connection/pump.js';
import type { Dle } from '../../wire/dle/dle.js';

/** Something that can be backed up: bytes that a program makes. */
export interface BackupImage {
  /** About how many bytes there will be. The server plans with it. */
  readonly size: number;
  /**
   * Makes the bytes. Called once, when a dump is wanted. Call `list` with the path of each file in
   * them, so that amrecover can show and pick them. A path begins at the root of the image:
   * `/orders.csv`, and `/2026/` for a directory. The server gets the message of an AmandaError of
   * the bytes. After any other error the server hears "the service failed", and the `ended` event
   * has the error.
   */
  readonly data: (list: (path: string) => void) => StreamSource;
}

/**
 * Finds what to back up under an entry of the server's disk list; undefined when there is nothing.
 *
 * It is called for each check and each estimate as well, so the work belongs into `data`. `level`
 * is 0 for a full dump, and n for what has changed since the last dump of a lower level. A program
 * that cannot tell gives the same at each level, which restores as well.
 */
export type FindImage = (
  dle: Dle,
  level: number,
) => BackupImage | undefined | PromiseLike<BackupImage | undefined>;
