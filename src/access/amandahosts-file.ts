import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { toText } from '../wire/text.js';
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
 * Never rejects: a file that cannot be opened, is owned by another, is open to group or others, or is too
 * large is a refusal with Amanda's reason. What is no regular file has no lines. Source: PROTOCOL.md, "Access".
 */
export async function readAmandahosts(path: string, options: AmandahostsFileOptions): Promise<AmandahostsText | Refused> {
  let file: FileHandle;
  try {
    // Opening a FIFO without O_NONBLOCK would wait for a writer.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return refused(`cannot open ${path}: ${systemText(error)}`);
  }
  try {
    return await readChecked(file, path, options);
  } catch (error) {
    return refused(`cannot read ${path}: ${systemText(error)}`);
  } finally {
    // Nothing was written: a close that fails has nothing to say.
    await file.close().catch(() => undefined);
  }
}

async function readChecked(file: FileHandle, path: string, { owner, maxBytes = MAX_FILE_BYTES }: AmandahostsFileOptions): Promise<AmandahostsText | Refused> {
  const stat = await file.stat();
  if (stat.uid !== owner) return refused(`${path}: owned by id ${stat.uid}, should be ${owner}`);
  if ((stat.mode & 0o077) !== 0) return refused(`${path}: incorrect permissions; file must be accessible only by its owner (chmod 600 ${path})`);
  if (!stat.isFile()) return { kind: 'read', text: '' };
  const bytes = await readUpTo(file, maxBytes);
  if (bytes === undefined) return refused(`${path}: larger than ${maxBytes} bytes`);
  return { kind: 'read', text: toText(bytes) };
}

/** The file's bytes; undefined when there are more than `limit`. The file may grow meanwhile, so its size is not relied on. */
async function readUpTo(file: FileHandle, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(65_536));
    if (bytesRead === 0) return Buffer.concat(chunks);
    total += bytesRead;
    if (total > limit) return undefined;
    chunks.push(buffer.subarray(0, bytesRead));
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
