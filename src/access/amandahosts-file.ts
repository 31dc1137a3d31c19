import { closeSync, fstatSync, openSync } from 'node:fs';
import { messageOf } from '../wire/text.js';
import { NO_REGULAR_FILE, READ_FLAGS, readUpTo } from './regular-file.js';
import { refused, type Refused } from './verdict.js';

export interface AmandahostsFileOptions {
  /** The user id that must own the file. */
  readonly owner: number;
  /** Bytes; a larger file is refused, which bounds its lines too. Default 1 MiB. */
  readonly maxBytes?: number;
}

/** The text of an .amandahosts file that passed its checks. */
export interface AmandahostsText {
  readonly kind: 'read';
  readonly text: string;
}

const MAX_FILE_BYTES = 1_048_576;

/**
 * Reads an .amandahosts file, following a symbolic link, if only its owner can access it.
 *
 * Reads synchronously, as amandad does: for such a small file another thread takes several times as
 * long. A home directory on a dead file server blocks this process.
 *
 * Never throws. Returns a refusal with Amanda's reason for a file that cannot be opened, has
 * another owner, is accessible to others or is too large. A FIFO and a device are refused too. A
 * folder has no lines, as for Amanda. Source: PROTOCOL.md, "Access".
 */
export function readAmandahosts(
  path: string,
  options: AmandahostsFileOptions,
): AmandahostsText | Refused {
  let file: number;
  try {
    file = openSync(path, READ_FLAGS);
  } catch (error) {
    return refused(`cannot open ${path}: ${systemText(error)}`);
  }
  try {
    try {
      return readChecked(file, path, options);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return refused(`cannot read ${path}: ${systemText(error)}`);
  }
}

function readChecked(
  file: number,
  path: string,
  { owner, maxBytes = MAX_FILE_BYTES }: AmandahostsFileOptions,
): AmandahostsText | Refused {
  const stat = fstatSync(file);
  if (stat.uid !== owner) return refused(`${path}: owned by id ${stat.uid}, should be ${owner}`);
  if ((stat.mode & 0o077) !== 0)
    return refused(
      `${path}: incorrect permissions; file must be accessible only by its owner (chmod 600 ${path})`,
    );
  if (stat.isDirectory()) return { kind: 'read', text: '' };
  if (!stat.isFile()) return refused(`${path}: ${NO_REGULAR_FILE}`);
  const bytes = readUpTo(file, stat.size, maxBytes);
  if (bytes === undefined) return refused(`${path}: larger than ${maxBytes} bytes`);
  return { kind: 'read', text: bytes.toString('utf8') };
}

/** The texts of the C library, which are in Amanda's messages; Node's differ. */
const systemTexts: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EIO: 'Input/output error',
  ELOOP: 'Too many levels of symbolic links',
  EMFILE: 'Too many open files',
  ENAMETOOLONG: 'File name too long',
  ENFILE: 'Too many open files in system',
  ENOENT: 'No such file or directory',
  ENOTDIR: 'Not a directory',
  EPERM: 'Operation not permitted',
};

function systemText(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  return systemTexts[String(code)] ?? messageOf(error);
}
