import type { Dle } from '../wire/dle.js';

/** What a target says about a dump before it sends it. */
export interface DumpInfo {
  /** What makes the dump, such as `/bin/tar`; APPLICATION when {@link application} says it. */
  readonly program: string | undefined;
  readonly application: string | undefined;
  /** The commands that restore. */
  readonly restore: string | undefined;
  /** All of it by its names on the wire; of a name that comes twice the last. */
  readonly all: ReadonlyMap<string, string>;
}

/** Gathers the info lines of a dump. */
export function toDumpInfo(all: ReadonlyMap<string, string>): DumpInfo {
  return {
    program: all.get('BACKUP'),
    application: all.get('APPLICATION'),
    restore: all.get('RECOVER_CMD'),
    all,
  };
}

/** The suffix that stands for what the client compresses with, such as `.gz`; undefined when the client does not compress. */
export function clientCompression({ compress }: Dle, { all }: DumpInfo): string | undefined {
  // sendbackup names a suffix also where the server is to compress, which this side does not do.
  if (compress?.method.startsWith('SERVER-') === true) return undefined;
  if (compress?.method === 'CUSTOM' || all.has('CLIENT_CUSTOM_COMPRESS')) return 'cust';
  const suffix = all.get('COMPRESS_SUFFIX') ?? '';
  if (suffix !== '' && suffix !== 'N') return suffix;
  return compress === undefined ? undefined : '.gz';
}
