import { statfsSync } from 'node:fs';
import { of } from 'rxjs';
import { formatMebibytes } from './format-mebibytes.js';
import { concern, fault, fine, type CheckOutcome, type CheckUnit } from '../check.js';
import type { LocalFacts } from './local-facts.js';
import { mayDo, octal } from './system-files.js';

/** Shared memory, the lists of GNU tar, and room for logs. */
export function storageChecks(facts: LocalFacts): readonly CheckUnit[] {
  return [
    { id: 'local.shm', group: 'local', needs: [], run: () => of(sharedMemory(facts)) },
    { id: 'local.lists', group: 'local', needs: ['local.user'], run: () => of(lists(facts)) },
    { id: 'local.space', group: 'local', needs: [], run: () => of(space(facts)) },
  ];
}

const STICKY_FOR_ALL = 0o1777;

function sharedMemory({ files }: LocalFacts): CheckOutcome {
  const stat = files.stat('/dev/shm');
  if (stat === undefined)
    return fault('shared-memory', {
      message: '/dev/shm is missing, and sendbackup of Amanda 3.4 and later needs it.',
      fix: 'mkdir -m 1777 /dev/shm; mount -t tmpfs tmpfs /dev/shm',
    });
  if ((stat.mode & STICKY_FOR_ALL) !== STICKY_FOR_ALL)
    return fault('shared-memory', {
      message: `Amanda's user may not write into /dev/shm (mode ${octal(stat.mode)}).`,
      fix: 'chmod 1777 /dev/shm',
    });
  return room('/dev/shm', files.path('/dev/shm'), LEAST_SHM) ?? fine('/dev/shm has room.');
}

function lists({ files, user, hasOwnServices }: LocalFacts): CheckOutcome {
  if (hasOwnServices()) return fine('rx-amandad keeps its lists where -lists says.');
  if (user === undefined) return fine('There is no user.');
  const folders = ['/var/lib/amanda/gnutar-lists', '/usr/local/var/amanda/gnutar-lists'];
  const folder = folders.find((one) => files.stat(one) !== undefined) ?? folders[0] ?? '';
  const stat = files.stat(folder);
  if (stat === undefined)
    return fault('gnutar-lists', {
      message: `${folder} is missing; incremental dumps with GNU tar need it.`,
      fix: `install -d -o ${user.name} -m 770 ${folder}`,
    });
  if (!mayDo(user, 'write', stat) || !mayDo(user, 'execute', stat))
    return fault('gnutar-lists', {
      message: `${user.name} may not write into ${folder} (owner ${stat.uid}, mode ${octal(stat.mode)}).`,
      fix: `chown ${user.name} ${folder}; chmod 770 ${folder}`,
    });
  return fine(`${folder} can be written.`);
}

/** Bytes of a ring of shared memory, with some to spare. */
const LEAST_SHM = 8 * 1_048_576;
const LEAST_DISK = 20 * 1_048_576;

function space({ files }: LocalFacts): CheckOutcome {
  for (const folder of ['/var/lib/amanda', '/var/log/amanda', '/tmp']) {
    const found = files.stat(folder) && room(folder, files.path(folder), LEAST_DISK);
    if (found !== undefined) return found;
  }
  return fine('The disks of state, logs and /tmp have room.');
}

function room(folder: string, path: string, least: number): CheckOutcome | undefined {
  try {
    const { bavail, bsize } = statfsSync(path);
    const free = bavail * bsize;
    if (free >= least) return undefined;
    return concern('little-space', {
      message: `Only ${formatMebibytes(free)} are free for ${folder}.`,
      fix: `Make room on the disk of ${folder}.`,
    });
  } catch {
    return undefined;
  }
}
