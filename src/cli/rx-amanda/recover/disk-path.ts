import { posix } from 'node:path';
import { escapePath, shownPath, unescapePath } from '../../../initiator/recover/escaped-path.js';
import { UsageError } from '../../terminal/arguments.js';
import { printable } from '../../../wire/text.js';

/** A path of a disk, from its root, without a slash at its end; `/` is the root. */
export interface DiskPath {
  /** For people. */
  readonly shown: string;
  /** As an index has it. */
  readonly escaped: string;
  /** The exact bytes, one character each. */
  readonly latin1: string;
}

/**
 * Reads a path that a user typed. `isEscaped` says that it is in the form of an index, which can
 * say every byte. Throws {@link UsageError} for a path that leads above the root.
 */
export function parseDiskPath(typed: string, isEscaped = false): DiskPath {
  const bytes = isEscaped ? unescapePath(typed) : Buffer.from(typed).toString('latin1');
  if (bytes.split('/').includes('..'))
    throw new UsageError(`"${printable(typed)}" has a "..", which no index has.`);
  if (bytes.includes('\0')) throw new UsageError('A path cannot have a NUL.');
  const latin1 = posix.join('/', bytes).replace(/(?<=.)\/$/, '');
  return { latin1, escaped: escapePath(latin1), shown: shownPath(latin1) };
}
