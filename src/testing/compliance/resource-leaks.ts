import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** The resources that keep a process alive, and the processes that it has started. */
export interface ProcessResources {
  /** The number of each kind, such as sockets and timers: see `process.getActiveResourcesInfo`. */
  readonly counts: ReadonlyMap<string, number>;
  /** The command lines of all descendants, by process id. Empty without /proc. */
  readonly processes: ReadonlyMap<number, string>;
}

/** Milliseconds between two checks. */
const CHECK_EVERY = 5;

/** The resources of this process now. */
export function currentResources(): ProcessResources {
  return { counts: countOf(process.getActiveResourcesInfo()), processes: startedProcesses() };
}

/**
 * Resolves when this process has no more resources than `before`; rejects with an Error that names
 * the rest after `within` milliseconds. It counts, so an expired timer of the test runner can hide
 * one that was left.
 */
export async function noLeaks(before: ProcessResources, within: number): Promise<void> {
  const until = performance.now() + within;
  for (
    let left = moreThan(before, currentResources());
    left.length > 0;
    left = moreThan(before, currentResources())
  ) {
    if (performance.now() > until)
      throw new Error(`${within / 1000} s after the end these remain: ${left.join(', ')}`);
    await wait(CHECK_EVERY);
  }
}

/** The descendants of this process that were not waited for, the youngest last. */
export function startedProcesses(): ReadonlyMap<number, string> {
  const parents = new Map(processIds().flatMap((id) => parentOf(id)));
  const isOurs = (id: number): boolean => {
    const parent = parents.get(id);
    return parent !== undefined && (parent === process.pid || isOurs(parent));
  };
  return new Map([...parents.keys()].filter(isOurs).map((id) => [id, commandOf(id)]));
}

function moreThan(before: ProcessResources, now: ProcessResources): readonly string[] {
  const resources = [...now.counts].flatMap(([kind, count]) => {
    const more = count - (before.counts.get(kind) ?? 0);
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

/** A process and its parent; nothing when it has ended by now. */
function parentOf(id: number): readonly (readonly [number, number])[] {
  try {
    // The program's name is in parentheses and may contain some; the state and the parent follow.
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
      'ended, but not waited for'
    );
  } catch {
    return 'ended meanwhile';
  }
}
