import { checkOptions } from '../wire/arguments.js';
import type { AmandaError } from '../wire/errors.js';
import {
  certificatePaths,
  emitWarning,
  readCertificates,
  type CertificateFiles,
  type OwnCertificates,
} from './certificate-files.js';
import { fileIdentity } from './file-identity.js';

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
  #cached:
    { readonly files: string | undefined; readonly value: CachedCertificates<T> } | undefined;
  #warnings: ReadonlySet<string> = new Set();

  constructor(options: CertificateFiles, make: (own: OwnCertificates) => T) {
    checkOptions('ssl', options, {
      sslDir: 'string?',
      onWarning: 'function?',
    });
    this.#options = options;
    this.#make = make;
  }

  /** Throws as {@link readCertificates} does, and what `make` throws. */
  read(): CachedCertificates<T> {
    const files = fileIdentity(Object.values(certificatePaths(this.#options)));
    if (files !== undefined && this.#cached?.files === files) return this.#cached.value;
    const value = this.#readFiles();
    this.#cached = { files, value };
    return value;
  }

  #readFiles(): CachedCertificates<T> {
    const { onWarning = emitWarning } = this.#options;
    const warnings = new Set<string>();
    const own = readCertificates({
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
