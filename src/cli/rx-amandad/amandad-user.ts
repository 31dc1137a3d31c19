import { userInfo } from 'node:os';
import { AmandaError } from '../../wire/errors.js';
import { messageOf, printable } from '../../wire/text.js';
import { codeOf } from '../terminal/file-errors.js';
import { excessRights, threadStatuses, type ExpectedRights } from './process-rights.js';

/** The users that packages run amandad as: Zmanda's and Fedora's, then Debian's. */
const amandaUsers = ['amandabackup', 'backup'] as const;

export interface BecomeUserOptions {
  /** Do not refuse to run with capabilities. Default false. */
  readonly keepCapabilities?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  /** The status of each thread; undefined without /proc. */
  readonly statuses?: () => readonly string[] | undefined;
}

/**
 * Makes this process run as a user until it ends, with the user's groups and home. Undefined means
 * Amanda's user. A process that cannot become root keeps its user, and may only be given that name;
 * staying root takes the name `root`.
 *
 * Returns what could not be verified, or undefined. Throws `BAD_ARGUMENT` when there is no such
 * user, and when another id, group 0 or a capability is left, naming it.
 */
export function becomeUser(
  name: string | undefined,
  {
    keepCapabilities = false,
    env = process.env,
    statuses = threadStatuses,
  }: BecomeUserOptions = {},
): string | undefined {
  if (process.geteuid === undefined) return undefined;
  if (!becomeRoot()) {
    const own = ownUser();
    if (name !== undefined && name !== own?.username)
      throw wrong(`Only root can become another user, such as ${printable(name)}.`);
    const uid = process.geteuid();
    // The starter may have chosen another group than the user's own, but not root's.
    const gid = process.getegid?.() || (own?.gid ?? -1);
    return verify(
      own?.username ?? String(uid),
      { uid, gid, groups: process.getgroups?.() ?? [], group0: own?.gid === 0, keepCapabilities },
      statuses(),
    );
  }
  if (name === 'root') return undefined;
  const { username, uid, gid, homedir } = name === undefined ? defaultUser() : lookUp(name);
  // An alias of root is a mistake unless the name is root itself.
  if (uid === 0)
    throw wrong(
      `The user ${printable(username)} is root by another name; -user=root says so plainly.`,
    );
  let groups: readonly number[];
  try {
    (process as WithGroups).initgroups?.(username, gid);
    process.setgid?.(gid);
    groups = process.getgroups?.() ?? [];
    process.setuid?.(uid);
  } catch (cause) {
    throw wrong(`Cannot become the user ${printable(username)}: ${messageOf(cause)}.`, cause);
  }
  const expected = { uid, gid, groups, group0: gid === 0, keepCapabilities };
  const unverified = verify(username, expected, statuses());
  Object.assign(env, { HOME: homedir, USER: username, LOGNAME: username });
  return unverified;
}

/**
 * Makes all user ids root's, if the real or saved one is or a capability allows it. Without that,
 * looking up a user could lose root's rights halfway.
 */
function becomeRoot(): boolean {
  try {
    process.seteuid?.(0);
    process.setuid?.(0);
    return true;
  } catch (cause) {
    // Node refuses when it uses io_uring, whose threads would stay root.
    if (process.geteuid?.() === 0 || codeOf(cause) !== 'EPERM')
      throw wrong(`Cannot give up the rights of root: ${messageOf(cause)}.`, cause);
    return false;
  }
}

/** Throws when the process has other rights than those, or can get them back. */
function verify(
  username: string,
  expected: ExpectedRights,
  statuses: readonly string[] | undefined,
): string | undefined {
  const group0 = expected.group0 ? [] : (process.getgroups?.() ?? []).filter((id) => id === 0);
  const excess = [
    ...excessRights(statuses ?? [], expected),
    ...group0.map(() => 'group 0'),
    ...recovered(expected),
  ];
  if (excess.length > 0)
    throw wrong(
      `The process runs as user ${printable(username)}, but would keep rights that are not that ` +
        `user's: ${[...new Set(excess)].join(', ')}. Start it as root or as the plain user` +
        `${excess.some((one) => one.includes('capabilities')) ? ', or with -keep-capabilities' : ''}.`,
    );
  return statuses === undefined
    ? 'there is no /proc here, so saved ids and capabilities were tested only by trying to become root again'
    : undefined;
}

/** The ids of root that the process can still get. They are the process's afterwards. */
function recovered({ group0 }: ExpectedRights): readonly string[] {
  const users = [process.seteuid, process.setuid];
  const groups = group0 ? [] : [process.setegid, process.setgid];
  const works = (set: ((id: number) => void) | undefined): boolean => {
    try {
      set?.(0);
      return set !== undefined;
    } catch {
      return false;
    }
  };
  return [
    ...(groups.some(works) ? ['a group id that can become 0'] : []),
    ...(users.some(works) ? ['a user id that can become 0'] : []),
  ];
}

/** The user that this process runs as; undefined for an id without a name. */
function ownUser(): User | undefined {
  try {
    return userInfo();
  } catch {
    return undefined;
  }
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
    } catch (error) {
      // An unknown name: try the next one.
      if (!isUnknown((error as AmandaError).cause)) throw error;
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
    throw isUnknown(cause)
      ? wrong(`There is no user ${printable(name)}.`, cause)
      : wrong(`Cannot become the user ${printable(name)}: ${messageOf(cause)}.`, cause);
  }
  try {
    return userInfo();
  } finally {
    process.seteuid?.(0);
  }
}

function isUnknown(cause: unknown): boolean {
  return codeOf(cause) === 'ERR_UNKNOWN_CREDENTIAL';
}

function wrong(message: string, cause?: unknown): AmandaError {
  return new AmandaError('BAD_ARGUMENT', message, { cause });
}
