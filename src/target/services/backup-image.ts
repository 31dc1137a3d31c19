import type { StreamSource } from '../../connection/pump.js';

/** Something that can be backed up: bytes that a program makes. */
export interface BackupImage {
  /**
   * Makes the bytes. Called once. The server's pace is the pace at which they are pulled, and a
   * server that leaves ends the source.
   *
   * `list` takes the path of each file in them, for the index of the server. `selects` says whether
   * the entry wants a file; it is true for all files unless the entry has `selects`. A path begins
   * at the root of the image: `/orders.csv`, and `/2026/` for a directory. The server gets the
   * message of an AmandaError of the bytes. After any other error the server hears "the service
   * failed", and the `ended` event has the error.
   */
  readonly data: (list: (path: string) => void, selects: (path: string) => boolean) => StreamSource;
  /**
   * What a dump of a higher level has to know, as a JSON value: a position in a log, a time. The
   * journal keeps it, and gives it back as the `state` of a {@link DumpBase}. Optional.
   */
  readonly state?: unknown;
  /**
   * The command that restores the image, as the header of the dump shows it. Default: that of tar.
   */
  readonly restore?: string;
}
