import { readFileSync, readdirSync } from 'node:fs';

/** The ids that every thread of this process must have. */
export interface ExpectedRights {
  readonly uid: number;
  readonly gid: number;
  /** The supplementary groups that it may have. */
  readonly groups: readonly number[];
  /** Whether group 0 is the user's own. */
  readonly group0: boolean;
  /** Whether capabilities are allowed. */
  readonly keepCapabilities: boolean;
}

/**
 * The rights that a process has and should not have, in words.
 *
 * `statuses` has the text of `/proc/PID/task/TID/status` of every thread. The bounding set is not
 * judged: it only limits what a set-user-ID program such as `runtar` may get.
 */
export function excessRights(
  statuses: readonly string[],
  expected: ExpectedRights,
): readonly string[] {
  return [...new Set(statuses.flatMap((status) => excessOf(status, expected)))];
}

/** The status of every thread of this process; undefined on a system without /proc. */
export function threadStatuses(folder = '/proc/self/task'): readonly string[] | undefined {
  try {
    const texts = readdirSync(folder).flatMap((thread) => {
      try {
        return [readFileSync(`${folder}/${thread}/status`, 'latin1')];
      } catch {
        // The thread has ended.
        return [];
      }
    });
    return texts.length === 0 ? undefined : texts;
  } catch {
    return undefined;
  }
}

/** The kernel's order of ids. */
const kinds = ['real', 'effective', 'saved', 'file system'] as const;

const capabilitySets = [
  ['CapPrm', 'permitted'],
  ['CapEff', 'effective'],
  ['CapInh', 'inheritable'],
  ['CapAmb', 'ambient'],
] as const;

function excessOf(status: string, expected: ExpectedRights): readonly string[] {
  const field = (name: string): readonly string[] | undefined =>
    new RegExp(`^${name}:(.*)$`, 'm').exec(status)?.[1]?.trim().split(/\s+/);
  const ids = (name: string, what: string, wanted: number): readonly string[] => {
    const values = field(name);
    if (values === undefined) return [`an unknown ${what} id`];
    return kinds.flatMap((kind, index) =>
      values[index] === String(wanted) ? [] : [`the ${kind} ${what} id ${values[index] ?? '?'}`],
    );
  };
  const groups = (field('Groups') ?? []).filter((group) => group !== '').map(Number);
  const { groups: allowed, group0, keepCapabilities } = expected;
  const strange = groups.filter((group) =>
    group === 0 ? !group0 : group !== expected.gid && !allowed.includes(group),
  );
  const capabilities = capabilitySets.flatMap(([name, kind]) => {
    const [mask = '0'] = field(name) ?? [];
    return keepCapabilities || /^0+$/.test(mask) ? [] : [`the ${kind} capabilities 0x${mask}`];
  });
  return [
    ...ids('Uid', 'user', expected.uid),
    ...ids('Gid', 'group', expected.gid),
    ...strange.map((group) => `group ${group}`),
    ...capabilities,
  ];
}
