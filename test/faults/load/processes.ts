import { readFileSync, readdirSync } from 'node:fs';

/** A process of a round, and what it is to the dump. */
export interface Found {
  readonly pid: number;
  readonly role: Role;
  readonly command: string;
}

export type Role = 'initiator' | 'target' | 'service' | 'ssh' | 'other';

/** Set in the environment of everything that a round starts; children inherit it. */
export const MARK = 'RX_AMANDA_ROUND';

/**
 * All processes with the mark of a round, and their children, because tar gets no environment.
 * Zombies have no environment either; only their parent has to care.
 */
export function processesOf(round: string): readonly Found[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const found = new Set(
    all.filter((name) => read(`/proc/${name}/environ`).split('\0').includes(`${MARK}=${round}`)),
  );
  // The list grows during the loop: a child follows its parent.
  for (const name of found) for (const child of childrenOf(name)) found.add(child);
  return [...found].flatMap((name) => {
    const command = read(`/proc/${name}/cmdline`).split('\0').join(' ').trim();
    return command === '' ? [] : [{ pid: Number(name), role: roleOf(command), command }];
  });
}

function childrenOf(pid: string): readonly string[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean);
}

function roleOf(command: string): Role {
  if (command.includes('rx-amanda.js')) return 'initiator';
  if (command.includes('rx-amandad.cjs')) return 'target';
  if (/^\S*tar /.test(command)) return 'service';
  if (/^\S*ssh /.test(command)) return 'ssh';
  return 'other';
}

/** Empty for a process that has ended, or whose environment is not readable. */
function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
