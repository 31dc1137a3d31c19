import { createRequire } from 'node:module';
import { crc32c as tableCrc32c, formatChecksum, type Checksum } from '../wire/crc32c.js';

/**
 * The running checksum of a dump: CRC-32C and byte count, as `native-CRC` and `client-CRC` carry
 * it.
 *
 * ```ts
 * const sum = new RunningChecksum();
 * dump
 *   .pipe(tap((bytes) => sum.update(bytes)), toWritable(file))
 *   .subscribe({ complete: () => console.log(`${sum}`) });
 * ```
 *
 * Uses the processor's instruction through `@node-rs/crc32` if that is installed, else a table,
 * which is about ten times slower. Source: PROTOCOL.md, "Checksums".
 */
export class RunningChecksum implements Checksum {
  #crc = 0;
  #bytes = 0;

  /** 0 … 2³² − 1. */
  get crc(): number {
    return this.#crc;
  }

  get bytes(): number {
    return this.#bytes;
  }

  update(bytes: Uint8Array): void {
    crc32c ??= nativeCrc32c() ?? tableCrc32c;
    this.#crc = crc32c(bytes, this.#crc);
    this.#bytes += bytes.length;
  }

  /** `%08x:%lld`. */
  toString(): string {
    return formatChecksum(this.#crc, this.#bytes);
  }
}

type Crc32c = (bytes: Uint8Array, crc?: number) => number;

/** Loaded with the first bytes: a program that only calls noop does not need it. */
let crc32c: Crc32c | undefined;

/** The package is optional and has a binary for each platform; either may be missing. */
function nativeCrc32c(): Crc32c | undefined {
  try {
    return (createRequire(import.meta.url)('@node-rs/crc32') as { readonly crc32c: Crc32c }).crc32c;
  } catch {
    return undefined;
  }
}
