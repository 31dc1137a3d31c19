import { defer, of, type Observable, type ObservableInput } from 'rxjs';
import { ExpiringMap } from './expiring-map.js';
import {
  addressesInHosts,
  asksHostsFirst,
  canonicalInHosts,
  nameInHosts,
  parseHosts,
  type Hosts,
} from './hosts-file.js';
import { readRegularFile } from './regular-file.js';
import { rememberNames } from './remembered-names.js';
import { systemResolver, type NameResolver } from './resolver.js';

/** The files that say how the system looks up names. */
export interface HostsFiles {
  /** Default `/etc/hosts`. */
  readonly hosts?: string;
  /** Default `/etc/nsswitch.conf`. */
  readonly nsswitch?: string;
}

const HOSTS = '/etc/hosts';
/** Milliseconds between two reads of it: the questions about one peer come together. */
const HOSTS_WITHIN = 1_000;
/** A longer file is left to the system, because reading it blocks this process. */
const MAX_HOSTS_BYTES = 65_536;

/**
 * Answers from /etc/hosts if the system looks there first, and asks a resolver for all else. Asking
 * the system takes a thread, and for canonical names a process: longer than the rest of a request.
 */
export function hostsFirst(resolver: NameResolver, files: HostsFiles = {}): NameResolver {
  const remembered = new ExpiringMap<Hosts>(HOSTS_WITHIN, 1);
  const hosts = (): Hosts => {
    const known = remembered.get(HOSTS);
    if (known !== undefined) return known;
    const read = readHosts(files);
    remembered.set(HOSTS, read);
    return read;
  };
  const orElse = <T>(
    find: (hosts: Hosts) => T | undefined,
    ask: () => ObservableInput<T>,
  ): Observable<T> =>
    defer(() => {
      const found = find(hosts());
      return found === undefined ? ask() : of(found);
    });
  return {
    nameOf: (address) =>
      orElse(
        (lines) => nameInHosts(lines, address),
        () => resolver.nameOf(address),
      ),
    addressesOf: (name, family) =>
      orElse(
        (lines) => (family === 4 ? addressesInHosts(lines, name) : undefined),
        () => resolver.addressesOf(name, family),
      ),
    canonicalOf: (name, family) =>
      orElse(
        (lines) => canonicalInHosts(lines, name, family),
        () => resolver.canonicalOf(name, family),
      ),
  };
}

/** The system's names, remembered for the whole process. */
export const systemNames = hostsFirst(rememberNames(systemResolver));

/** The lines of /etc/hosts; none if the system does not look there first, or it is unreadable. */
function readHosts({ hosts = HOSTS, nsswitch = '/etc/nsswitch.conf' }: HostsFiles): Hosts {
  try {
    const text = (path: string): string => readRegularFile(path, MAX_HOSTS_BYTES).bytes.toString();
    return asksHostsFirst(text(nsswitch)) ? parseHosts(text(hosts)) : [];
  } catch {
    return [];
  }
}
