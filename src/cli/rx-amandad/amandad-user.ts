import { userInfo } from 'node:os';
import { AmandaError } from '../../wire/errors.js';
import { messageOf, printable } from '../../wire/text.js';

/** The users that packages run amandad as: Zmanda's and Fedora's, then Debian's. */
const amandaUsers = ['amandabackup', 'backup'] as const;

/**
 * Makes this process run as a user for good, with the user's groups and home. Undefined stands for
 * Amanda's user. Without root's rights only the own name is allowed; staying root takes the name
 * `root`.
 *
 * Throws `BAD_ARGUMENT` when there is no such user, or when the privileges cannot be given up.
 */
export function becomeUser(name: string | undefined, env: NodeJS.ProcessEnv = process.env): void {
  if (process.geteuid?.() !== 0) {
    if (name !== undefined && name !== userInfo().username)
      throw wrong(`Only root can become another user, such as ${printable(name)}.`);
    return;
  }
  if (name === 'root') return;
  const { username, uid, gid, homedir } = name === undefined ? defaultUser() : lookUp(name);
  // An alias of root is a mistake unless the name is root itself.
  if (uid === 0)
    throw wrong(
      `The user ${printable(username)} is root by another name; -user=root says so plainly.`,
    );
  try {
    (process as WithGroups).initgroups?.(username, gid);
    process.setgid?.(gid);
    process.setuid?.(uid);
  } catch (cause) {
    throw wrong(`Cannot become the user ${printable(username)}: ${messageOf(cause)}.`, cause);
  }
  if (canBeRootAgain())
    throw wrong(
      `The privileges of root were not given up for good when becoming ${printable(username)}.`,
    );
  Object.assign(env, { HOME: homedir, USER: username, LOGNAME: username });
}

interface User {
  readonly username: string;
  readonly uid: number;
  readonly gid: number;
  readonly homedir: string;
}

/** A function that Node's types lack. */
interface WithGroups {
  readonly initgroups?: (user: string, group: number) => void;
}

function defaultUser(): User {
  for (const name of amandaUsers) {
    try {
      return lookUp(name);
    } catch {
      // Try the next one.
    }
  }
  throw wrong(
    `Started as root, and there is no user ${amandaUsers.join(' or ')}: ` +
      'say with -user=NAME whose rights to take (-user=root to stay root).',
  );
}

/**
 * Looks up a user. Node knows only the current user, so the process becomes that user for a moment.
 */
function lookUp(name: string): User {
  try {
    process.seteuid?.(name);
  } catch (cause) {
    throw wrong(`There is no user ${printable(name)}.`, cause);
  }
  try {
    return userInfo();
  } finally {
    process.seteuid?.(0);
  }
}

function canBeRootAgain(): boolean {
  if (
    [
      process.getuid?.(),
      process.geteuid?.(),
      process.getgid?.(),
      process.getegid?.(),
      ...(process.getgroups?.() ?? []),
    ].includes(0)
  )
    return true;
  try {
    process.setuid?.(0);
    return true;
  } catch {
    return false;
  }
}

function wrong(message: string, cause?: unknown): AmandaError {
  return new AmandaError('BAD_ARGUMENT', message, { cause });
}
