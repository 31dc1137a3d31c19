import { printable } from '../../../wire/text.js';
import type { DisklistEntry } from '../../config/disklist.js';
import { UsageError } from '../../terminal/arguments.js';
import { parseHost } from '../../terminal/host-port.js';
import { didYouMean } from '../../terminal/suggest.js';
import type { ConfiguredTargets } from '../configured.js';
import { takeHosts } from '../each-host.js';
import type { TargetChoice } from '../target.js';

/** A disk to ask about: its name, its path, and what its dumptype says. */
export type AskedDisk = Pick<DisklistEntry, 'disk' | 'device' | 'settings' | 'spindle'>;

/** A host, and the disks to ask it about. */
export interface AskedHost {
  /** As it was written. */
  readonly place: string;
  readonly target: TargetChoice;
  /** Its name in the request. */
  readonly name: string;
  readonly disks: readonly AskedDisk[];
  readonly maxdumps: number;
}

/** The options that say what to ask about. */
export const diskOptions = { disk: { type: 'string', multiple: true } } as const;

interface Asked {
  readonly config?: string | undefined;
  readonly dumptype?: string | undefined;
  readonly disk?: readonly string[] | undefined;
}

/**
 * The hosts named, or all hosts of the disklist, and the disks to ask them about: those named, or
 * all of the disklist. As amcheck does, it leaves out disks with `ignore` or strategy skip. Throws
 * `UsageError`.
 */
export function chooseHosts(
  positionals: readonly string[],
  values: Asked,
  configured: ConfiguredTargets,
): readonly AskedHost[] {
  const { entries } = configured;
  const byHost = groupByHost(entries);
  if (positionals.length === 0 && entries.length === 0)
    throw new UsageError('HOST is missing; --config NAME asks all hosts of its disklist.');
  const places =
    positionals.length === 0
      ? [...byHost.values()].flatMap(([first]) => (first === undefined ? [] : [first.host]))
      : takeHosts(positionals).hosts;
  refuseUnknownDisks(values.disk ?? [], entries);
  const hosts = places.map((place) => {
    const name = parseHost(place).host;
    const own = byHost.get(name.toLowerCase());
    if (own === undefined && entries.length > 0)
      throw new UsageError(
        `The disklist of ${printable(values.config ?? '')} does not have ${printable(name)}.` +
          didYouMean(name, new Set(entries.map(({ host }) => host))),
      );
    return hostOf(place, own, values, configured);
  });
  const asked = hosts.filter(({ disks }) => disks.length > 0);
  // A host without disks is asked when that was the wish.
  return entries.length > 0 && positionals.length === 0 ? asked : hosts;
}

function hostOf(
  place: string,
  own: readonly DisklistEntry[] | undefined,
  { disk: wanted }: Asked,
  configured: ConfiguredTargets,
): AskedHost {
  const { target, entry, settings } = configured.choose(place);
  const common = { place, target, name: entry?.host ?? target.host };
  const maxdumps = settings.maxdumps?.value ?? 1;
  if (own !== undefined) {
    const disks = own.filter((one) => isAsked(one) && (wanted?.includes(one.disk) ?? true));
    return { ...common, disks, maxdumps };
  }
  const at = { file: '--disk' };
  const plain = {
    program: { value: 'GNUTAR', at },
    compress: { value: 'NONE', at },
    record: { value: false, at },
    auth: { value: target.auth, at },
    ...settings,
  } as const;
  const disks = (wanted ?? []).map((disk) => ({ disk, device: undefined, settings: plain }));
  return { ...common, disks, maxdumps };
}

function isAsked({ settings: { ignore, strategy } }: DisklistEntry): boolean {
  return ignore?.value !== true && strategy?.value !== 'SKIP';
}

function refuseUnknownDisks(wanted: readonly string[], entries: readonly DisklistEntry[]): void {
  const known = new Set(entries.map(({ disk }) => disk));
  const unknown = wanted.find((disk) => entries.length > 0 && !known.has(disk));
  if (unknown !== undefined)
    throw new UsageError(
      `No host of the disklist has a disk ${printable(unknown)}.${didYouMean(unknown, known)}`,
    );
  if (wanted.includes('')) throw new UsageError('--disk takes the name of a disk.');
}

/** By the name in small letters, in the order of the disklist. */
function groupByHost(
  entries: readonly DisklistEntry[],
): ReadonlyMap<string, readonly DisklistEntry[]> {
  const hosts = new Map<string, DisklistEntry[]>();
  for (const entry of entries) {
    const host = entry.host.toLowerCase();
    const known = hosts.get(host);
    if (known === undefined) hosts.set(host, [entry]);
    else known.push(entry);
  }
  return hosts;
}
