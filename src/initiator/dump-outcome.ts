import type { Checksum } from '../wire/crc32c.js';

/** How far a dump is. */
export interface DumpProgress {
  /** Of the image, so far. */
  readonly bytes: number;
  /** In the index, so far. */
  readonly files: number;
  readonly directories: number;
}

/** A dump that is whole: everything was closed by the target, and size and checksums are those of the bytes received. */
export interface DumpOutcome extends DumpProgress {
  /** `strange`: usable, but some lines of the dump program should be looked at. */
  readonly kind: 'success' | 'strange';
  /** Of what went to the `data` sink. */
  readonly received: Checksum;
  /** The same as Amanda writes it: CRC-32C, colon, bytes. */
  readonly checksum: string;
  /** Before the client compressed it, in units of 1,024 bytes; undefined when the program could not tell. */
  readonly size: number | undefined;
  /** As the target sent them; undefined from a target that does not. */
  readonly native: Checksum | undefined;
  readonly client: Checksum | undefined;
  /** The first 100 of the strange lines, and how many there were. */
  readonly strange: readonly string[];
  readonly strangeCount: number;
}
