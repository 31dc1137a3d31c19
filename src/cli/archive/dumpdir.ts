import { badArchive } from './tar-header.js';

/** A directory that was renamed between two dumps, both from the root of the archive. */
export interface TarRename {
  readonly from: string;
  readonly to: string;
}

/** What an incremental dump says of a directory. */
export interface Dumpdir {
  /** The names in it. */
  readonly names: readonly string[];
  readonly renames: readonly TarRename[];
  /** Where the first rename begins; the names end there. Undefined without one. */
  readonly renamesAt: number | undefined;
}

/**
 * Reads the names of a directory: `Yname\0Nname\0Dname\0…\0`, then renames `Rfrom\0Tto\0`. Throws
 * `BAD_ARCHIVE` for a name that is a path: tar would obey it.
 */
export function decodeDumpdir(data: string): Dumpdir {
  const names: string[] = [];
  const renames: TarRename[] = [];
  let renamesAt: number | undefined;
  let at = 0;
  let from: string | undefined;
  while (at < data.length && data[at] !== '\0') {
    const end = data.indexOf('\0', at);
    if (end === -1) throw badArchive('the names of a directory do not end');
    const [code = '', name] = [data[at], data.slice(at + 1, end)];
    if ('YND'.includes(code)) {
      if (renamesAt !== undefined || name.includes('/') || name === '' || /^\.\.?$/.test(name))
        throw badArchive('a directory lists a name that leads out of it');
      names.push(name);
    } else if (code === 'R' || code === 'T' || code === 'X') {
      renamesAt ??= at;
      if ((code === 'T') !== (from !== undefined))
        throw badArchive('a directory lists half a rename');
      // X names a directory that tar makes to swap others.
      if (code !== 'R') renames.push({ from: from ?? name, to: name });
      from = code === 'R' ? name : undefined;
    } else throw badArchive('a directory lists names in an unknown form');
    at = end + 1;
  }
  if (from !== undefined) throw badArchive('a directory lists half a rename');
  return { names, renames, renamesAt };
}
