import { of, tap, type Observable } from 'rxjs';
import { ExpiringMap } from './expiring-map.js';
import { checkPeerName, type NamedPeer } from './peer.js';
import type { Refused } from './verdict.js';

/** Finds and checks the name of a peer, as {@link checkPeerName} does. */
export type NamePeer = (peer: {
  readonly address: string;
  readonly port?: number | undefined;
}) => Observable<NamedPeer | Refused>;

export interface NamedPeersOptions {
  /** Milliseconds for which a name is valid; default 250. */
  readonly within?: number;
  /** Addresses whose names are kept, default 1,000; the oldest goes first. */
  readonly most?: number;
}

/**
 * Remembers named peers for a moment, because a server asks many things within a second. A refused
 * peer is asked for again.
 */
export function rememberPeers(
  name: NamePeer,
  { within = 250, most = 1_000 }: NamedPeersOptions = {},
): NamePeer {
  const named = new ExpiringMap<NamedPeer>(within, most);
  return (peer) => {
    const known = named.get(peer.address);
    if (known !== undefined) return of(known);
    return name(peer).pipe(
      tap((found) => {
        if (found.kind === 'named') named.set(peer.address, found);
      }),
    );
  };
}

/** Names peers by the system's names. */
export const namePeer = rememberPeers((peer) => checkPeerName(peer));
