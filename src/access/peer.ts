import { isIPv6, SocketAddress } from 'node:net';
import {
  catchError,
  defer,
  map,
  of,
  switchMap,
  throwIfEmpty,
  timeout,
  zip,
  type Observable,
} from 'rxjs';
import { isIPv4 } from './ipv4.js';
import { resolverText, type NameResolver } from './resolver.js';
import { systemNames } from './system-names.js';
import { refused, type Refused } from './verdict.js';

/** How the name of a peer is looked up. */
export interface PeerNameOptions {
  /** Default: the system's, with /etc/hosts, DNS and so on; its answers are valid for 10 s. */
  readonly resolver?: NameResolver;
  /** Milliseconds for the whole check; default 30,000. */
  readonly within?: number;
}

/** A peer whose name leads back to its address. */
export interface NamedPeer {
  readonly kind: 'named';
  /** The name; the numeric address when it has none. */
  readonly host: string;
  /** Numeric, an IPv4-mapped one as IPv4. */
  readonly address: string;
}

/**
 * Finds the name of a peer's address and checks that the name leads back to the address. Emits
 * once.
 *
 * As in Amanda the name must be the canonical one or begin it, ignoring case, and one of its
 * addresses must be the peer's. Never errors: a failed or a late answer is a refusal.
 *
 *     address  nameOf          canonicalOf, addressesOf         result
 *     10.0.0.1 one.lab         one.lab      10.0.0.1            named one.lab
 *     10.0.0.1 one.lab         two.lab      10.0.0.1            refused: not itself
 *     10.0.0.1 one.lab         one.lab      10.0.0.2            refused: not 10.0.0.1
 *     10.0.0.1 none            10.0.0.1     10.0.0.1            named 10.0.0.1
 *
 * Source: PROTOCOL.md, "Access".
 */
export function checkPeerName(
  { address: given, port = 0 }: { readonly address: string; readonly port?: number | undefined },
  { resolver = systemNames, within = 30_000 }: PeerNameOptions = {},
): Observable<NamedPeer | Refused> {
  const address = plainAddress(given);
  if (address === undefined) return of(refused(`getnameinfo failed: ${given} is no address`));
  return defer(() => resolver.nameOf(address)).pipe(
    throwIfEmpty(() => noAnswer(address)),
    map((name) => name ?? address),
    catchError((error: unknown) => of(refused(`getnameinfo failed: ${resolverText(error)}`))),
    switchMap((host) =>
      typeof host === 'string' ? leadsBack(host, address, port, resolver) : of(host),
    ),
    timeout({
      first: within,
      with: () => of(refused(`the name of ${address} could not be checked within ${within} ms`)),
    }),
  );
}

function leadsBack(
  host: string,
  address: string,
  port: number,
  resolver: NameResolver,
): Observable<NamedPeer | Refused> {
  const family = isIPv4(address) ? 4 : 0;
  const addresses = defer(() => resolver.addressesOf(host, family));
  const canonical = defer(() => resolver.canonicalOf(host, family));
  return zip(addresses, canonical).pipe(
    throwIfEmpty(() => noAnswer(host)),
    map(([found, canonicalName]) => judge(host, address, port, found, canonicalName)),
    catchError((error: unknown) =>
      of(refused(`check_name_give_sockaddr: resolve_hostname('${host}'): ${resolverText(error)}`)),
    ),
  );
}

function judge(
  host: string,
  address: string,
  port: number,
  found: readonly string[],
  canonical: string | undefined,
): NamedPeer | Refused {
  if (canonical === undefined)
    return refused(
      `check_name_give_sockaddr: resolve_hostname('${host}') did not return a canonical name`,
    );
  if (!canonical.toLowerCase().startsWith(host.toLowerCase()))
    return refused(`${host} doesn't resolve to itself, it resolves to ${canonical}`);
  if (!found.some((one) => plainAddress(one) === address))
    return refused(`${host} doesn't resolve to ${address}:${port}`);
  return { kind: 'named', host, address };
}

/** Its message becomes part of a refusal. */
function noAnswer(question: string): Error {
  return new Error(`The resolver gave no answer for ${question}.`);
}

/**
 * One spelling for each address: IPv6 as the system writes it, without its zone; IPv4-mapped IPv6
 * as IPv4. Undefined for any other text.
 */
export function plainAddress(address: string): string | undefined {
  if (isIPv4(address)) return address;
  const withoutZone = address.split('%', 1)[0] ?? '';
  if (!isIPv6(withoutZone)) return undefined;
  const plain = new SocketAddress({ address: withoutZone, family: 'ipv6' }).address;
  const mapped = plain.slice('::ffff:'.length);
  return isIPv4(mapped) ? mapped : plain;
}
