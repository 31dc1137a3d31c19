import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';

/** A secret of 192 random bits that fits into a URL. */
export function newToken(): string {
  return randomBytes(24).toString('base64url');
}

/** Compares in constant time. */
export function isToken(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token));
}

/**
 * Whether a `Host` header names this server, and not a foreign name that points to it (DNS
 * rebinding). A numeric address is always accepted, and so is any port, because it may belong to a
 * tunnel.
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
