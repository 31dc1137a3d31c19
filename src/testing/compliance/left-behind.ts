import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** What a process has at one moment that keeps it alive, and whom it has started. */
export interface Belongings {
  /** Sockets, timers and the like: how many there are of each kind, as `process.getActiveResourcesInfo` names it. */
  readonly resources: ReadonlyMap<string, number>;
  /** The command lines of processes that this one has started, and of those that they have, by process id. Empty where there is no /proc. */
  readonly processes: ReadonlyMap<number, string>;
}

/** Milliseconds between two looks. */
const LOOK_EVERY = 5;

/** What this process has now. */
export function belongings(): Belongings {
  return { resources: countOf(process.getActiveResourcesInfo()), processes: startedProcesses() };
}

/**
 * Resolves as soon as this process has no more than it had `before`; rejects with an Error that names what is left when that
 * takes longer than `within` milliseconds. What ends asynchronously, as sockets and processes do, is given the time that it takes.
 * It counts, so one timer of the test runner's own that has run out meanwhile hides one that was left.
 */
export async function nothingLeftBehind(before: Belongings, within: number): Promise<void> {
  const until = performance.now() + within;
  for (
    let left = moreThan(before, belongings());
    left.length > 0;
    left = moreThan(before, belongings())
  ) {
    if (performance.now() > until)
      throw new Error(`${within / 1000} s after the end there is left behind: ${left.join(', ')}`);
    await wait(LOOK_EVERY);
  }
}

/** The processes that this one has started and that have not been waited for, and those that they have started: the youngest last. */
export function startedProcesses(): ReadonlyMap<number, string> {
  const parents = new Map(processIds().flatMap((id) => parentOf(id)));
  const isOurs = (id: number): boolean => {
    const parent = parents.get(id);
    return parent !== undefined && (parent === process.pid || isOurs(parent));
  };
  return new Map([...parents.keys()].filter(isOurs).map((id) => [id, commandOf(id)]));
}

function moreThan(before: Belongings, now: Belongings): readonly string[] {
  const resources = [...now.resources].flatMap(([kind, count]) => {
    const more = count - (before.resources.get(kind) ?? 0);
    return more > 0 ? [`${more} ${kind}`] : [];
  });
  const processes = [...now.processes].flatMap(([id, command]) =>
    before.processes.has(id) ? [] : [`process ${id} (${command})`],
  );
  return [...resources, ...processes];
}

function countOf(kinds: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

function processIds(): readonly number[] {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((id) => Number.isInteger(id) && id > 0);
  } catch {
    return [];
  }
}

/** A process and its parent; nothing when it is gone by now. */
function parentOf(id: number): readonly (readonly [number, number])[] {
  try {
    // The name of the program stands in parentheses and may hold some itself; behind the last are the state and the parent.
    const text = readFileSync(`/proc/${id}/stat`, 'latin1');
    return [[id, Number(text.slice(text.lastIndexOf(')') + 1).split(' ')[2])]];
  } catch {
    return [];
  }
}

function commandOf(id: number): string {
  try {
    return (
      readFileSync(`/proc/${id}/cmdline`, 'latin1').replaceAll('\0', ' ').trim() ||
      'ended, and nobody has waited for it'
    );
  } catch {
    return 'ended meanwhile';
  }
}
