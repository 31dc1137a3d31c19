import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { messageOf } from '../wire/text.js';
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
 * Never throws: a file that cannot be opened, has another owner, is accessible to others or is too
 * large is a refusal with Amanda's reason. Any but a regular file has no lines.
 * Source: PROTOCOL.md, "Access".
 */
export function readAmandahosts(
  path: string,
  options: AmandahostsFileOptions,
): AmandahostsText | Refused {
  let file: number;
  try {
    // Without O_NONBLOCK opening a FIFO waits for a writer.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return refused(`cannot open ${path}: ${systemText(error)}`);
  }
  try {
    return readChecked(file, path, options);
  } catch (error) {
    return refused(`cannot read ${path}: ${systemText(error)}`);
  } finally {
    close(file);
  }
}

function close(file: number): void {
  try {
    closeSync(file);
  } catch {
    // Nothing was written, so a failed close loses nothing.
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
  if (!stat.isFile()) return { kind: 'read', text: '' };
  const bytes = readUpTo(file, stat.size, maxBytes);
  if (bytes === undefined) return refused(`${path}: larger than ${maxBytes} bytes`);
  return { kind: 'read', text: bytes.toString('utf8') };
}

/** The least bytes of one read; files under /proc claim to be empty. */
const LEAST_BYTES = 1_023;

/**
 * The file's bytes; undefined for more than `limit`. The file may grow meanwhile, so its size is
 * only a hint. A short read of a regular file means its end.
 */
function readUpTo(file: number, size: number, limit: number): Buffer | undefined {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    // One more than expected, so that one read shows the end.
    const chunk = Buffer.allocUnsafe(Math.min(Math.max(size, LEAST_BYTES), limit) + 1);
    const length = readSync(file, chunk, 0, chunk.length, null);
    total += length;
    if (total > limit) return undefined;
    chunks.push(chunk.subarray(0, length));
    if (length < chunk.length) return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
  }
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
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return systemTexts[code] ?? messageOf(error);
}
