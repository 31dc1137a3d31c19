import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';

/** A secret that nobody guesses: 192 bits, as text that a URL can carry. */
export function newToken(): string {
  return randomBytes(24).toString('base64url');
}

/** Compares in a time that does not tell how much is right. */
export function isToken(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token));
}

/**
 * Whether a `Host` header names this server in a way that no foreign page can bring about. A name that its owner lets point to this
 * machine (DNS rebinding) is not among them; a number is always meant, and any port is, since it may be that of a tunnel.
 */
export function isOwnHost(header: string | undefined, host: string): boolean {
  const name = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::\d{1,5})?$/
    .exec(header ?? '')?.[1]
    ?.toLowerCase();
  if (name === undefined) return false;
  return (
    name === 'localhost' || name === host.toLowerCase() || isIP(name.replace(/^\[|\]$/g, '')) !== 0
  );
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}
