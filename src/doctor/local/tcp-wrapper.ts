import { BlockList, isIP } from 'node:net';
import { wordsOf } from '../../wire/text.js';
import type { AllowedHost } from './allowed-hosts.js';

/** `unknown` for rules that this does not understand. */
export type WrapperVerdict = 'allowed' | 'denied' | 'unknown';

/**
 * What the TCP wrapper says to a host. The first line of hosts.allow that matches allows, then the
 * first one of hosts.deny denies. Source: hosts_access(5).
 */
export function wrapperVerdict(
  allow: string,
  deny: string,
  daemon: string,
  host: AllowedHost,
): WrapperVerdict {
  const allowed = firstMatch(allow, daemon, host);
  if (allowed !== 'none') return allowed === 'matches' ? 'allowed' : 'unknown';
  const denied = firstMatch(deny, daemon, host);
  if (denied === 'none') return 'allowed';
  return denied === 'matches' ? 'denied' : 'unknown';
}

type Match = 'matches' | 'none' | 'unknown';

/** The first line that matches, or that may match: the lines after it do not count then. */
function firstMatch(text: string, daemon: string, host: AllowedHost): Match {
  for (const line of text.replaceAll('\\\n', ' ').split('\n')) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [daemons = '', clients = '', ...options] = line.split(':');
    const named = listed(daemons).filter((word) => isDaemon(word, daemon));
    if (named.length === 0) continue;
    // EXCEPT, IPv6 addresses and options such as "deny" follow rules of their own.
    if (options.length > 0 || /\b(EXCEPT|UNKNOWN|PARANOID)\b/i.test(line)) return 'unknown';
    const matches = listed(clients).map((word) => matchOf(word, host));
    if (matches.every((match) => match === 'none')) continue;
    return matches.includes('matches') && !named.every(isSpecial) ? 'matches' : 'unknown';
  }
  return 'none';
}

function listed(words: string): readonly string[] {
  return wordsOf(words.replaceAll(',', ' '));
}

function isDaemon(word: string, daemon: string): boolean {
  return isSpecial(word) || ['all', daemon.toLowerCase()].includes(word.toLowerCase());
}

/** A daemon at one address of this host, or words that need more than a comparison. */
function isSpecial(word: string): boolean {
  return word.includes('@') || /^except$/i.test(word);
}

function matchOf(word: string, { host, addresses }: AllowedHost): Match {
  if (/^(all|known)$/i.test(word)) return 'matches';
  if (/^[@/[]/.test(word) || /[*?]/.test(word)) return 'unknown';
  if (/^local$/i.test(word)) return host.includes('.') ? 'none' : 'matches';
  const [network = '', mask] = word.split('/');
  const length = mask === undefined ? 32 : bitsOf(mask);
  const isMatch =
    word.toLowerCase() === host.toLowerCase() ||
    (word.startsWith('.') && host.toLowerCase().endsWith(word.toLowerCase())) ||
    (word.endsWith('.') && addresses.some((address) => address.startsWith(word))) ||
    addresses.some((address) => isInNetwork(address, network, length));
  return isMatch ? 'matches' : 'none';
}

/** `255.255.0.0` and `16` are 16. */
function bitsOf(mask: string): number {
  if (isIP(mask) !== 4) return Number(mask);
  const bits = mask.split('.').map((part) => Number(part).toString(2).padStart(8, '0'));
  return bits.join('').replace(/0*$/, '').length;
}

/** Whether an IPv4 address is in a network; never, if one of them is none. */
export function isInNetwork(address: string, network: string, length: number): boolean {
  if (isIP(address) !== 4 || isIP(network) !== 4) return false;
  if (!Number.isInteger(length) || length < 0 || length > 32) return false;
  const list = new BlockList();
  list.addSubnet(network, length, 'ipv4');
  return list.check(address, 'ipv4');
}
