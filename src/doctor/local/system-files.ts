import { readdirSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { readRegularFile } from '../../access/regular-file.js';

/** The most bytes of one file that is read. */
const MOST_BYTES = 1_048_576;

/** A user of /etc/passwd. */
export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  /** The user's groups, by /etc/passwd and /etc/group. */
  readonly gids: readonly number[];
  readonly home: string;
  readonly shell: string;
}

/** Reads files of this host, or of a system below another folder. */
export class SystemFiles {
  readonly #root: string;

  constructor(root = '/') {
    this.#root = root;
  }

  /** Whether it is the running system, and no copy. */
  get isRunning(): boolean {
    return this.#root === '/';
  }

  /** The path as this process reads it. */
  path(file: string): string {
    return join(this.#root, file);
  }

  /** The text, one character a byte; undefined when it cannot be read. */
  text(file: string): string | undefined {
    try {
      return readRegularFile(this.path(file), MOST_BYTES).bytes.toString('latin1');
    } catch {
      return undefined;
    }
  }

  /** Follows links. Undefined when there is none, or when a folder above it is closed. */
  stat(file: string): Stats | undefined {
    try {
      return statSync(this.path(file));
    } catch {
      return undefined;
    }
  }

  /** The paths in a folder, sorted; none when it cannot be read. */
  list(folder: string): readonly string[] {
    try {
      return readdirSync(this.path(folder))
        .sort()
        .map((name) => join(folder, name));
    } catch {
      return [];
    }
  }

  user(name: string): SystemUser | undefined {
    const line = fieldsOf(this.text('/etc/passwd')).find(([first]) => first === name);
    if (line === undefined) return undefined;
    const [, , uid = '', gid = '', , home = '', shell = ''] = line;
    const groups = fieldsOf(this.text('/etc/group')).filter(([, , , members = '']) =>
      members.split(',').includes(name),
    );
    return {
      name,
      uid: Number(uid),
      gids: [Number(gid), ...groups.map(([, , id = '']) => Number(id))],
      home,
      shell,
    };
  }
}

function fieldsOf(text = ''): readonly (readonly string[])[] {
  return text.split('\n').map((line) => line.split(':'));
}

/** The bit of each permission. */
const bits = { read: 4, write: 2, execute: 1 } as const;

/** Whether a user may do something with a file, by its mode alone. */
export function mayDo(
  { uid, gids }: Pick<SystemUser, 'uid' | 'gids'>,
  what: keyof typeof bits,
  { mode, uid: owner, gid }: Stats,
): boolean {
  const bit = bits[what];
  if (uid === 0) return what !== 'execute' || (mode & 0o111) !== 0;
  if (uid === owner) return (mode & (bit << 6)) !== 0;
  return (mode & (gids.includes(gid) ? bit << 3 : bit)) !== 0;
}

/** `0640`. */
export function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
