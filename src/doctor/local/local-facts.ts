import type { PeerNameOptions } from '../../access/peer.js';
import { AMANDA_PORT } from '../../wire/role.js';
import { configuredListeners, type ConfiguredListener } from './listener-files.js';
import { portOwner } from './port-owner.js';
import { SystemFiles, type SystemUser } from './system-files.js';

/** Options of the examination of this host. */
export interface LocalDoctorOptions {
  /** Amanda's user. Default: the one that amandad is started as, or the one of the package. */
  readonly user?: string;
  /** The folder that the paths start at; default `/`. For a system that is mounted elsewhere. */
  readonly root?: string;
  /** How to look up names. */
  readonly names?: PeerNameOptions;
}

/** What the checks of this host need to know. */
export interface LocalFacts {
  readonly files: SystemFiles;
  readonly listeners: readonly ConfiguredListener[];
  /** The name of Amanda's user, whether it exists or not. */
  readonly userName: string;
  readonly user: SystemUser | undefined;
  /** The command line of what listens on a TCP port; the search for it is made once a port. */
  readonly ownerOf: (port: number) => string | undefined;
  /** Whether rx-amandad serves with services of its own. */
  readonly hasOwnServices: () => boolean;
  /** The folder of Amanda's programs. */
  readonly libexec: string;
  readonly names: PeerNameOptions;
}

/** The users that packages run amandad as. */
const packageUsers = ['backup', 'amandabackup', 'amanda'] as const;

export function localFacts({ user, root, names = {} }: LocalDoctorOptions): LocalFacts {
  const files = new SystemFiles(root);
  const listeners = configuredListeners(files);
  const started = listeners.find((one) => !one.isDisabled && one.user !== 'root')?.user;
  const packaged = packageUsers.find((name) => files.user(name) !== undefined);
  const userName = user ?? (started === '' ? undefined : started) ?? packaged ?? packageUsers[0];
  const libexec = ['/usr/lib/amanda', '/usr/libexec/amanda'].find(
    (folder) => files.stat(folder) !== undefined,
  );
  const owners = new Map<number, string | undefined>();
  const ownerOf = (port: number): string | undefined => {
    if (!owners.has(port)) owners.set(port, portOwner(port, files));
    return owners.get(port);
  };
  return {
    files,
    listeners,
    userName,
    user: files.user(userName),
    ownerOf,
    hasOwnServices: () => servesItself(listeners, ownerOf(AMANDA_PORT)),
    libexec: libexec ?? '/usr/lib/amanda',
    names,
  };
}

function servesItself(
  listeners: readonly ConfiguredListener[],
  owner: string | undefined,
): boolean {
  const words = [
    ...listeners.flatMap(({ isDisabled, args }) => (isDisabled ? [] : args)),
    ...(owner ?? '').split(' '),
  ];
  return words.some((word) => /^--?(own|services=own)$/.test(word));
}
