import { map, of, type Observable } from 'rxjs';
import { checkPeerName, plainAddress, type PeerNameOptions } from '../access/peer.js';
import { refused, type Refused } from '../access/verdict.js';
import type { Peer } from '../transport/channel.js';

export interface SshPeer {
  readonly kind: 'peer';
  readonly peer: Peer;
}

/**
 * The peer of sshd, from `SSH_CONNECTION`: `ADDRESS PORT OWN-ADDRESS OWN-PORT`.
 *
 * Without the variable there is no sshd, and the peer is refused. A name that does not lead back to
 * the address is left out, and so is an invalid address. Emits once, never errors. Source:
 * PROTOCOL.md, "Drivers".
 */
export function sshPeer(
  connection: string | undefined,
  options: PeerNameOptions = {},
): Observable<SshPeer | Refused> {
  if (connection === undefined)
    return of(refused('SSH_CONNECTION is not set: auth ssh is for an amandad that sshd starts'));
  const [, given = '', portWord = ''] = /^(\S+) (\d{1,5}(?!\S))?/.exec(connection) ?? [];
  if (given === '')
    return of(
      refused(
        'SSH_CONNECTION does not begin with an address and a blank: auth ssh is for an amandad that sshd starts',
      ),
    );
  const address = plainAddress(given);
  if (address === undefined) return of({ kind: 'peer', peer: { driver: 'ssh' } });
  const peer: Peer = {
    driver: 'ssh',
    address,
    ...(portWord === '' ? {} : { port: Number(portWord) }),
  };
  return checkPeerName({ address, port: peer.port }, options).pipe(
    map((named) => ({
      kind: 'peer',
      peer: named.kind === 'named' && named.host !== address ? { ...peer, host: named.host } : peer,
    })),
  );
}
