import type { Checksum } from '../wire/crc32c.js';

/** The progress of a dump. */
export interface DumpProgress {
  /** Of the image. */
  readonly bytes: number;
  /** In the index. */
  readonly files: number;
  readonly directories: number;
}

/** A whole dump: the target has closed every stream, and size and checksums match the bytes. */
export interface DumpOutcome extends DumpProgress {
  /** `strange`: usable, but with unusual messages of the dump program. */
  readonly kind: 'success' | 'strange';
  /** The checksum of the bytes that the `data` sink got. */
  readonly received: Checksum;
  /** The same in Amanda's notation: CRC-32C, colon, bytes. */
  readonly checksum: string;
  /** The size before compression, in units of 1,024 bytes; undefined when unknown. */
  readonly size: number | undefined;
  /** The target's checksums; undefined when it sends none. */
  readonly native: Checksum | undefined;
  readonly client: Checksum | undefined;
  /** The first 100 strange lines, and the number of all. */
  readonly strange: readonly string[];
  readonly strangeCount: number;
}
