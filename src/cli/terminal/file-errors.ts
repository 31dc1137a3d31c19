import { AmandaError } from '../../wire/errors.js';
import { messageOf } from '../../wire/text.js';

/** Turns an error of the file system into a sentence. `doing` completes "Cannot … /path". */
export function fileFailed(doing: string, path: string, cause: unknown): AmandaError {
  if (cause instanceof AmandaError) return cause;
  const code = codeOf(cause);
  const known =
    code === undefined ? undefined : code === 'ENOENT' ? missing(doing) : reasons.get(code);
  const why = known ?? messageOf(cause);
  return new AmandaError('FILE_FAILED', `Cannot ${doing} ${path}: ${why}.`, { cause });
}

/** The code of a system error, such as ENOSPC. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

/** A file to write is created, so only its directory can be missing. */
function missing(doing: string): string {
  return doing.startsWith('read') ? 'there is no such file' : 'there is no such directory';
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['ENOTDIR', 'a part of the path is not a directory'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'the system does not permit it'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'no space is left on the device'],
  ['EDQUOT', 'the disk quota is used up'],
  ['EFBIG', 'the file would be larger than the file system or a limit of this process allows'],
  ['EIO', 'the device reports an input/output error'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['EMFILE', 'too many files are open'],
  ['ELOOP', 'its symbolic links go in a circle'],
  ['EPIPE', 'the reader has closed the pipe'],
]);
