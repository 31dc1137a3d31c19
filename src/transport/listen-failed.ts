import { AmandaError } from '../wire/errors.js';
import { messageOf } from '../wire/text.js';

/** What to do when a socket cannot be bound. */
const reasons: ReadonlyMap<unknown, string> = new Map([
  ['EADDRINUSE', 'a program listens there already, and "ss -lnptu" as root names it'],
  ['EACCES', 'a port below 1024 takes root, or CAP_NET_BIND_SERVICE'],
  ['EADDRNOTAVAIL', 'this host does not have that address'],
  ['ENOTFOUND', 'there is no host of that name'],
]);

/** The error when listening fails. `place` is `127.0.0.1 port 10080`. */
export function listenFailed(place: string, cause: unknown): AmandaError {
  const { code } = cause as { readonly code?: unknown };
  const why = reasons.get(code) ?? messageOf(cause);
  return new AmandaError('CONNECT_FAILED', `Cannot listen on ${place}: ${why}.`, { cause });
}
