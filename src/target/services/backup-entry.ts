import type { Dle } from '../../wire/dle/dle.js';
import type { AmandaError } from '../../wire/errors.js';
import type { BackupImage } from './backup-image.js';

/** A finished dump that another one builds on. */
export interface DumpBase {
  /** 0 … 398; lower than that of the dump which builds on it. */
  readonly level: number;
  /** When its image was asked for: later changes are not in it. */
  readonly at: Date;
  /** The `state` of its image. */
  readonly state?: unknown;
}

/**
 * How a dump ended.
 *
 * - `whole`: all bytes left, and the server closed each stream after its last byte. The server may
 *   still fail to store them.
 * - `cut`: the connection ended first, or the server confirmed nothing within 30 s.
 * - `failed`: the image or the journal failed.
 */
export type DumpEnd =
  { readonly kind: 'whole' | 'cut' } | { readonly kind: 'failed'; readonly error: AmandaError };

/**
 * What a program offers under one entry of a server's disk list.
 *
 * `base` is the newest finished dump of a lower level, by the journal; the dump has what changed
 * since. It is undefined for level 0, and without a journal. An entry without a journal gives the
 * same at each level, which restores as well. Source: PROTOCOL.md, "Services".
 */
export interface BackupEntry {
  /** About how many bytes a dump has. The server asks for up to three levels before it dumps. */
  readonly estimate: (level: number, base: DumpBase | undefined) => number | PromiseLike<number>;
  /** Makes the image of a dump. Called when a server wants one. */
  readonly dump: (
    level: number,
    base: DumpBase | undefined,
  ) => BackupImage | PromiseLike<BackupImage>;
  /** Called once after each dump whose image was made. The journal is written before it. */
  readonly done?: (level: number, end: DumpEnd) => void | PromiseLike<void>;
  /**
   * Whether images leave out the files that `selects` refuses, as those of `tarArchive` do. Default
   * false: an entry with `exclude` or `include` is refused.
   */
  readonly selects?: boolean;
  /**
   * The name of the application that the disk list must have: `program "APPLICATION"` with this
   * `plugin`. Default: none, so that it must have `program "GNUTAR"`.
   */
  readonly application?: string;
}

/**
 * Finds what a program offers under an entry of the server's disk list; undefined for nothing.
 * It is called for each check, estimate and dump.
 */
export type FindEntry = (
  dle: Dle,
) => BackupEntry | undefined | PromiseLike<BackupEntry | undefined>;
