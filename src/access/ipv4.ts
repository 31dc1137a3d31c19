/**
 * Whether a text is an IPv4 address: four decimal numbers from 0 to 255 without leading zeros. What `isIPv4` of `node:net` says, which makes a pattern ready
 * for it at its first two calls, in a quarter of a millisecond that a process for one connection has better uses for.
 */
export function isIPv4(text: string): boolean {
  if (text.length > LONGEST) return false;
  const parts = text.split('.');
  return parts.length === 4 && parts.every(isOctet);
}

/** Characters of the longest, `255.255.255.255`. */
const LONGEST = 15;

function isOctet(part: string): boolean {
  const value = Number(part);
  return value >= 0 && value <= 255 && String(value) === part;
}
