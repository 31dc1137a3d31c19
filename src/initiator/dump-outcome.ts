import type { Checksum } from '../wire/crc32c.js';

/** The progress of a dump. */
export interface DumpProgress {
  /** Of the image. */
  readonly bytes: number;
  /** In the index. */
  readonly files: number;
  /** Directories in the index. */
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
  /** Of the bytes as the dump program wrote them; undefined when the target sends none. */
  readonly native: Checksum | undefined;
  /** Of the bytes as they left the client; undefined when the target sends none. */
  readonly client: Checksum | undefined;
  /** The first 100 strange lines. */
  readonly strange: readonly string[];
  /** The number of all strange lines. */
  readonly strangeCount: number;
}
