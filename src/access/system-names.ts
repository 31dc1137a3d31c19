import { readFileSync, statSync } from 'node:fs';
import { asyncScheduler, defer, of, type Observable, type ObservableInput } from 'rxjs';
import {
  addressesInHosts,
  asksHostsFirst,
  canonicalInHosts,
  nameInHosts,
  parseHosts,
  type Hosts,
} from './hosts-file.js';
import { isIPv4 } from './ipv4.js';
import { rememberNames } from './remembered-names.js';
import { systemResolver, type NameResolver } from './resolver.js';

/** The files that say what the system looks for where. */
export interface HostsFiles {
  /** Default `/etc/hosts`. */
  readonly hosts?: string;
  /** Default `/etc/nsswitch.conf`. */
  readonly nsswitch?: string;
}

/**
 * Answers with what the system would find in /etc/hosts, where it looks there first, and asks a resolver for everything else. For the system to be asked takes a
 * thread, for canonical names a process, and longer than all else that is done for a first request.
 */
export function hostsFirst(resolver: NameResolver, files: HostsFiles = {}): NameResolver {
  const hosts = remembered(() => readHosts(files));
  const orElse = <T>(
    find: (hosts: Hosts) => T | undefined,
    ask: () => ObservableInput<T>,
  ): Observable<T> =>
    defer(() => {
      const lines = hosts();
      const found = lines === undefined ? undefined : find(lines);
      return found === undefined ? ask() : of(found);
    });
  return {
    nameOf: (address) =>
      orElse(
        (lines) => (isIPv4(address) ? nameInHosts(lines, address) : undefined),
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

/** The system's names, as all of this process remember them. */
export const systemNames = hostsFirst(rememberNames(systemResolver));

/** Milliseconds for which what was read holds: the questions about one peer come at the same moment. */
const HOSTS_WITHIN = 1_000;

function remembered<T>(read: () => T): () => T {
  let last: { readonly at: number; readonly value: T } | undefined;
  return () => {
    const at = asyncScheduler.now();
    // A clock that was set back says nothing.
    if (last === undefined || at < last.at || at - last.at >= HOSTS_WITHIN)
      last = { at, value: read() };
    return last.value;
  };
}

/** A longer /etc/hosts is left to the system: it is read while nothing else is done. */
const MAX_HOSTS_BYTES = 65_536;

/** The lines of /etc/hosts; undefined where the system does not look there first, and where it cannot be read. */
function readHosts({
  hosts = '/etc/hosts',
  nsswitch = '/etc/nsswitch.conf',
}: HostsFiles): Hosts | undefined {
  try {
    if (statSync(hosts).size > MAX_HOSTS_BYTES || !asksHostsFirst(readFileSync(nsswitch, 'utf8')))
      return undefined;
    return parseHosts(readFileSync(hosts, 'utf8'));
  } catch {
    return undefined;
  }
}
