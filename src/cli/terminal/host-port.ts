import { isIPv6 } from 'node:net';
import { printable } from '../../wire/text.js';
import { UsageError } from './arguments.js';

/** A host name or address, and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const LOOPBACK = '127.0.0.1';

/**
 * Reads `PORT`, `:PORT`, `HOST:PORT` or `[::1]:PORT`; the default host is the loopback. Throws
 * {@link UsageError}.
 */
export function parseListen(text: string, what = 'LISTEN'): HostPort {
  const [, port] = /^:?(\d{1,5})$/.exec(text) ?? [];
  if (port !== undefined) return { host: LOOPBACK, port: portOf(what, port, 0) };
  const { host, port: given } = split(what, text);
  if (given === undefined)
    throw new UsageError(`${what} needs a port, as in ${printable(host)}:10081.`);
  return { host, port: portOf(what, given, 0) };
}

/** Reads `HOST`, `HOST:PORT`, `::1` or `[::1]:PORT`. Throws {@link UsageError}. */
export function parseTarget(text: string, defaultPort: number): HostPort {
  const { host, port = defaultPort } = parseHost(text, 'TARGET');
  return { host, port };
}

/** The same with an optional port. */
export function parseHost(
  text: string,
  what = 'HOST',
): { readonly host: string; readonly port?: number } {
  if (text === '') throw new UsageError(`${what} is empty.`);
  const { host, port } = split(what, text);
  return port === undefined ? { host } : { host, port: portOf(what, port, 1) };
}

function split(
  what: string,
  text: string,
): { readonly host: string; readonly port: string | undefined } {
  if (isIPv6(text)) return { host: text, port: undefined };
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::([^:]*))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host !== undefined) return { host, port };
  throw new UsageError(
    `${what} is HOST:PORT, or [ADDRESS]:PORT for IPv6, not "${printable(text)}".`,
  );
}

function portOf(what: string, text: string, least: number): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= least && port <= 65_535) return port;
  throw new UsageError(
    `The port of ${what} must be a whole number from ${least} to 65535, not "${printable(text)}".`,
  );
}
