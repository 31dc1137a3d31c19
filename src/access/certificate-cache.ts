import { statSync } from 'node:fs';
import type { AmandaError } from '../wire/errors.js';
import {
  certificatePaths,
  emitWarning,
  readCertificates,
  type CertificateFiles,
  type OwnCertificates,
} from './certificate-files.js';

/** Certificates, and what was made of them. */
export interface CachedCertificates<T> {
  readonly own: OwnCertificates;
  readonly made: T;
}

/**
 * Reads certificates again only when one of their files has changed, so renewed ones count at once.
 *
 * `make` prepares what all connections share, such as a TLS context. A warning that the last read
 * gave too is not repeated.
 */
export class CertificateCache<T> {
  readonly #options: CertificateFiles;
  readonly #make: (own: OwnCertificates) => T;
  #cached: { readonly files: string; readonly value: Promise<CachedCertificates<T>> } | undefined;
  #warnings: ReadonlySet<string> = new Set();

  constructor(options: CertificateFiles, make: (own: OwnCertificates) => T) {
    this.#options = options;
    this.#make = make;
  }

  /** Rejects as {@link readCertificates} does, and with what `make` throws. */
  read(): Promise<CachedCertificates<T>> {
    const files = identityOf(Object.values(certificatePaths(this.#options)));
    if (files !== undefined && this.#cached?.files === files) return this.#cached.value;
    const value = this.#readFiles();
    this.#cached = files === undefined ? undefined : { files, value };
    // A failure may have other causes than the files.
    value.catch(() => {
      if (this.#cached?.value === value) this.#cached = undefined;
    });
    return value;
  }

  async #readFiles(): Promise<CachedCertificates<T>> {
    const { onWarning = emitWarning } = this.#options;
    const warnings = new Set<string>();
    const own = await readCertificates({
      ...this.#options,
      onWarning: (warning: AmandaError) => {
        warnings.add(warning.message);
        if (!this.#warnings.has(warning.message)) onWarning(warning);
      },
    });
    this.#warnings = warnings;
    return { own, made: this.#make(own) };
  }
}

/**
 * What changes when a file is written, replaced, or given other rights. Undefined when a file is
 * missing, or so new that the next write may leave the same times.
 */
function identityOf(paths: readonly string[]): string | undefined {
  try {
    const all = paths.map((path) => statSync(path, { bigint: true }));
    const newest = Math.max(...all.map(({ ctimeMs }) => Number(ctimeMs)));
    if (Date.now() - newest < CLOCK_TICK) return undefined;
    return all
      .flatMap(({ dev, ino, size, mtimeNs, ctimeNs, mode, uid, gid }) => [
        ...[dev, ino, size, mtimeNs, ctimeNs, mode, uid, gid],
      ])
      .join(' ');
  } catch {
    return undefined;
  }
}

/** Milliseconds; a kernel stamps files with the time of its last tick. */
const CLOCK_TICK = 100;
