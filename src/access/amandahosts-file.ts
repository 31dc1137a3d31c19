import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
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
 * Reads an .amandahosts file, following a symbolic link, if it belongs to the owner alone.
 *
 * At once, as amandad does: it is a small file of this machine, and to have another thread read it takes several times as long as to read it. A home directory
 * that is far away and does not answer keeps this process waiting.
 *
 * Never throws: a file that cannot be opened, is owned by another, is open to group or others, or is too
 * large is a refusal with Amanda's reason. What is no regular file has no lines. Source: PROTOCOL.md, "Access".
 */
export function readAmandahosts(
  path: string,
  options: AmandahostsFileOptions,
): AmandahostsText | Refused {
  let file: number;
  try {
    // Opening a FIFO without O_NONBLOCK would wait for a writer.
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
    // Nothing was written: a close that fails has nothing to say.
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

/** What is asked for of a file that says it has less, or nothing. */
const LEAST_BYTES = 1_023;

/**
 * The file's bytes; undefined when there are more than `limit`. The file may grow meanwhile, so its size is only where to begin; a regular file that gives less
 * than was asked for has ended.
 */
function readUpTo(file: number, size: number, limit: number): Buffer | undefined {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    // One more than there should be, to see the end at once.
    const chunk = Buffer.allocUnsafe(Math.min(Math.max(size, LEAST_BYTES), limit) + 1);
    const length = readSync(file, chunk, 0, chunk.length, null);
    total += length;
    if (total > limit) return undefined;
    chunks.push(chunk.subarray(0, length));
    if (length < chunk.length) return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
  }
}

/** The system's own texts, which Amanda's messages carry; Node words them differently. */
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
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return systemTexts[code] ?? error.message;
}
