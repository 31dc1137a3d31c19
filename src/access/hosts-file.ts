import { isIPv4, isIPv6 } from 'node:net';

/**
 * The canonical name of a host by the text of /etc/hosts, as the C library finds it there: the first name on the line that has the name.
 * Undefined when no line of that family has it, or when lines that have it begin with different names, where it takes the C library to know which one counts.
 *
 *     10.0.0.1 one.lab one      one → one.lab
 */
export function canonicalInHosts(hostsText: string, name: string, family: 0 | 4): string | undefined {
  const wanted = name.toLowerCase();
  let canonical: string | undefined;
  let isOfFamily = false;
  for (const line of hostsText.split('\n')) {
    const [address = '', ...names] = (line.split('#', 1)[0] ?? '').trim().split(/\s+/);
    const [first = ''] = names;
    if (!names.some((one) => one.toLowerCase() === wanted)) continue;
    if (canonical !== undefined && canonical !== first) return undefined;
    canonical = first;
    isOfFamily ||= isIPv4(address) || (family === 0 && isIPv6(address));
  }
  return isOfFamily ? canonical : undefined;
}

/** Whether /etc/nsswitch.conf has hosts looked for in /etc/hosts before anywhere else, and what is found there stand. */
export function asksHostsFirst(nsswitchText: string): boolean {
  return /^[ \t]*hosts:[ \t]*files(?:[ \t]+(?!\[[^\]\n]*success)|[ \t]*$)/im.test(nsswitchText);
}
