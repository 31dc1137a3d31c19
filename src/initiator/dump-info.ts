import type { Dle } from '../wire/dle/dle.js';

/** What a target says about a dump before the data. */
export interface DumpInfo {
  /** The dump program, such as `/bin/tar`; APPLICATION when {@link application} names it. */
  readonly program: string | undefined;
  /** The Amanda application that made the dump; undefined for the programs. */
  readonly application: string | undefined;
  /** The command that restores. */
  readonly restore: string | undefined;
  /** All entries, by their names on the wire; the last of a name counts. */
  readonly all: ReadonlyMap<string, string>;
}

/** Makes the info of a dump from its lines. */
export function toDumpInfo(all: ReadonlyMap<string, string>): DumpInfo {
  return {
    program: all.get('BACKUP'),
    application: all.get('APPLICATION'),
    restore: all.get('RECOVER_CMD'),
    all,
  };
}

/** The suffix of the client's compression, such as `.gz`; undefined when it does not compress. */
export function clientCompression({ compress }: Dle, { all }: DumpInfo): string | undefined {
  // sendbackup also names a suffix when the server should compress, which this side does not.
  if (compress?.method.startsWith('SERVER-') === true) return undefined;
  if (compress?.method === 'CUSTOM' || all.has('CLIENT_CUSTOM_COMPRESS')) return 'cust';
  const suffix = all.get('COMPRESS_SUFFIX') ?? '';
  if (suffix !== '' && suffix !== 'N') return suffix;
  return compress === undefined ? undefined : '.gz';
}
