import { isIPv6 } from 'node:net';
import { wordsOf } from '../wire/text.js';
import { isIPv4 } from './ipv4.js';

/** A line of /etc/hosts: an address, its name, and its aliases. */
interface HostsLine {
  readonly address: string;
  readonly names: readonly string[];
}

/** The lines of /etc/hosts, in its order. */
export type Hosts = readonly HostsLine[];

/** The lines of the text of /etc/hosts. The address of an empty line or a comment is empty. */
export function parseHosts(text: string): Hosts {
  return text.split('\n').map((line) => {
    const [address = '', ...names] = wordsOf((line.split('#', 1)[0] ?? '').trim());
    return { address, names };
  });
}

/**
 * The name of an IPv4 address by /etc/hosts, as the C library finds it: the first name on the first
 * line with the address. Undefined for none, and if only the C library can tell.
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

/**
 * The IPv4 addresses of a name by /etc/hosts, in its order. Undefined as {@link nameInHosts} is.
 */
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
 * The canonical name of a host by /etc/hosts, as the C library finds it: the first name on the line
 * with the name. Undefined if no line of the family has the name. Also undefined if such lines
 * begin with different names, because only the C library knows which one counts.
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

/**
 * The IPv4 address of a line. The C library reads ::1 and IPv4-mapped addresses as IPv4 too, in
 * many spellings. All IPv6 addresses that begin with zeros are `unsure`. `isIPv6` would tell more,
 * but Node compiles its pattern in 3 ms, which is long for a process that serves one connection.
 */
function asIPv4(address: string): string | undefined {
  if (address === '::1') return '127.0.0.1';
  const startsWithZeros = address.startsWith('0') || address.startsWith(':');
  if (startsWithZeros && address.includes(':')) return 'unsure';
  return isIPv4(address) ? address : undefined;
}

/** Whether /etc/nsswitch.conf puts /etc/hosts first for hosts, and a name found there is final. */
export function asksHostsFirst(nsswitchText: string): boolean {
  return nsswitchText
    .toLowerCase()
    .split('\n')
    .some((line) => {
      const text = line.trim();
      if (!text.startsWith(DATABASE)) return false;
      const [first, ...rest] = wordsOf(text.slice(DATABASE.length));
      const [then = ''] = rest.join(' ').split(']', 1);
      return first === 'files' && !(then.startsWith('[') && then.includes('success'));
    });
}

const DATABASE = 'hosts:';
