import { asyncScheduler, of, tap, type Observable } from 'rxjs';
import { checkPeerName, type NamedPeer } from './peer.js';
import type { Refused } from './verdict.js';

/** How a peer is named, as {@link checkPeerName} does it. */
export type NamePeer = (peer: {
  readonly address: string;
  readonly port?: number | undefined;
}) => Observable<NamedPeer | Refused>;

export interface NamedPeersOptions {
  /** Milliseconds for which a name holds; default 250. */
  readonly within?: number;
  /** Addresses whose names are kept, default 1,000; the oldest goes first. */
  readonly most?: number;
}

/**
 * Names peers, and remembers those that have names for a moment: a server asks many things within a second, and to go through the resolver's
 * answers for each is about a sixteenth of what a noop costs. What was refused is asked anew.
 */
export function rememberPeers(
  name: NamePeer,
  { within = 250, most = 1_000 }: NamedPeersOptions = {},
): NamePeer {
  const named = new Map<string, { readonly from: number; readonly peer: Observable<NamedPeer> }>();
  return (peer) => {
    const now = asyncScheduler.now();
    const known = named.get(peer.address);
    if (known !== undefined && now - known.from < within) return known.peer;
    return name(peer).pipe(
      tap((found) => {
        named.delete(peer.address);
        if (found.kind === 'refused') return;
        named.set(peer.address, { from: now, peer: of(found) });
        const [oldest] = named.keys();
        if (named.size > most && oldest !== undefined) named.delete(oldest);
      }),
    );
  };
}

/** The name of a peer by the system's names. */
export const namePeer = rememberPeers((peer) => checkPeerName(peer));
