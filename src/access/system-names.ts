import { readFileSync, statSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { defer, of, type Observable, type ObservableInput } from 'rxjs';
import { addressesInHosts, asksHostsFirst, canonicalInHosts, nameInHosts } from './hosts-file.js';
import { rememberNames } from './remembered-names.js';
import { systemResolver, type NameResolver } from './resolver.js';

/**
 * Answers with what the system would find in /etc/hosts, where it looks there first, and asks a resolver for everything else. For the system to be asked takes a
 * thread, for canonical names a process, and longer than all else that is done for a first request.
 */
export function hostsFirst(resolver: NameResolver): NameResolver {
  return {
    nameOf: (address) =>
      orElse(
        (hosts) => (isIPv4(address) ? nameInHosts(hosts, address) : undefined),
        () => resolver.nameOf(address),
      ),
    addressesOf: (name, family) =>
      orElse(
        (hosts) => (family === 4 ? addressesInHosts(hosts, name) : undefined),
        () => resolver.addressesOf(name, family),
      ),
    canonicalOf: (name, family) =>
      orElse(
        (hosts) => canonicalInHosts(hosts, name, family),
        () => resolver.canonicalOf(name, family),
      ),
  };
}

/** The system's names, as all of this process remember them. */
export const systemNames = hostsFirst(rememberNames(systemResolver));

function orElse<T>(find: (hostsText: string) => T | undefined, ask: () => ObservableInput<T>): Observable<T> {
  return defer(() => {
    const hosts = hostsText();
    const found = hosts === undefined ? undefined : find(hosts);
    return found === undefined ? ask() : of(found);
  });
}

/** Milliseconds for which what was read holds: the questions about one peer come at the same moment. */
const HOSTS_WITHIN = 1_000;

let read: { readonly at: number; readonly text: string | undefined } | undefined;

/** The text of /etc/hosts; undefined where the system does not look there first, and where it cannot be read. */
function hostsText(): string | undefined {
  const at = performance.now();
  if (read === undefined || at - read.at >= HOSTS_WITHIN) read = { at, text: readHosts() };
  return read.text;
}

/** A longer /etc/hosts is left to the system: it is read while nothing else is done. */
const MAX_HOSTS_BYTES = 65_536;

function readHosts(): string | undefined {
  try {
    if (statSync('/etc/hosts').size > MAX_HOSTS_BYTES || !asksHostsFirst(readFileSync('/etc/nsswitch.conf', 'utf8'))) return undefined;
    return readFileSync('/etc/hosts', 'utf8');
  } catch {
    return undefined;
  }
}
