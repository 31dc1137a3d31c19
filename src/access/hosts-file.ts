import { isIPv6 } from 'node:net';
import { isIPv4 } from './ipv4.js';
import { wordsOf } from './words.js';

/** A line of /etc/hosts: an address, its name, and other names for it. */
interface HostsLine {
  readonly address: string;
  readonly names: readonly string[];
}

/** The lines of /etc/hosts, in its order. */
export type Hosts = readonly HostsLine[];

/** The lines of the text of /etc/hosts. An empty one, or a comment, is of the address "". */
export function parseHosts(text: string): Hosts {
  return text.split('\n').map((line) => {
    const [address = '', ...names] = wordsOf((line.split('#', 1)[0] ?? '').trim());
    return { address, names };
  });
}

/**
 * The name of an IPv4 address by /etc/hosts, as the C library finds it there: the first name on the first line that is of the address.
 * Undefined when no line is, and when that cannot be told without the C library.
 *
 *     10.0.0.1 one.lab one      10.0.0.1 → one.lab
 */
export function nameInHosts(hosts: Hosts, address: string): string | undefined {
  for (const line of hosts) {
    const found = asIPv4(line.address);
    if (found === 'unsure') return undefined;
    if (found === address) return line.names[0];
  }
  return undefined;
}

/** The IPv4 addresses of a name by /etc/hosts, in the file's order. Undefined where {@link nameInHosts} is. */
export function addressesInHosts(hosts: Hosts, name: string): readonly string[] | undefined {
  const addresses: string[] = [];
  for (const line of hosts) {
    if (!has(line, name)) continue;
    const found = asIPv4(line.address);
    if (found === 'unsure') return undefined;
    if (found !== undefined) addresses.push(found);
  }
  return addresses.length === 0 ? undefined : addresses;
}

/**
 * The canonical name of a host by /etc/hosts, as the C library finds it there: the first name on the line that has the name.
 * Undefined when no line of that family has it, or when lines that have it begin with different names, where it takes the C library to know which one counts.
 *
 *     10.0.0.1 one.lab one      one → one.lab
 */
export function canonicalInHosts(hosts: Hosts, name: string, family: 0 | 4): string | undefined {
  let canonical: string | undefined;
  let isOfFamily = false;
  for (const line of hosts) {
    if (!has(line, name)) continue;
    const [first] = line.names;
    if (canonical !== undefined && canonical !== first) return undefined;
    canonical = first;
    isOfFamily ||= isIPv4(line.address) || (family === 0 && isIPv6(line.address));
  }
  return isOfFamily ? canonical : undefined;
}

function has({ names }: HostsLine, name: string): boolean {
  const wanted = name.toLowerCase();
  return names.some((one) => one.toLowerCase() === wanted);
}

/** Characters of the longest spelling of an address, which is IPv6 with IPv4 at its end. */
const LONGEST_ADDRESS = 45;

/**
 * The IPv4 address that a line is of when it is asked for IPv4, for which the C library takes ::1 and what is mapped to IPv6, too; undefined for
 * other addresses and for what is none. `unsure` for the many other spellings that those may have: to tell them apart takes
 * `isIPv6`, whose pattern Node makes ready in 3 ms, which a process for one connection has better uses for.
 */
function asIPv4(address: string): string | undefined {
  if (address.length > LONGEST_ADDRESS) return undefined;
  if (address === '::1') return '127.0.0.1';
  if (
    (address.startsWith('0') || address.startsWith(':')) &&
    /^[0:]+:(?:0*1$|ffff:)/i.test(address)
  )
    return 'unsure';
  return isIPv4(address) ? address : undefined;
}

/** Whether /etc/nsswitch.conf has hosts looked for in /etc/hosts before anywhere else, and what is found there stand. */
export function asksHostsFirst(nsswitchText: string): boolean {
  return nsswitchText
    .toLowerCase()
    .split('\n')
    .some((line) => {
      const [database, ...services] = line.trim().split(':');
      const [first, ...rest] = wordsOf(services.join(':'));
      const [then = ''] = rest.join(' ').split(']', 1);
      return (
        database === 'hosts' &&
        first === 'files' &&
        !(then.startsWith('[') && then.includes('success'))
      );
    });
}
