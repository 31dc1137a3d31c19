import { describePeer, type Peer } from '../transport/channel.js';
import { AmandaError, isAmandaError } from '../wire/errors.js';

/** A request that waits for an answer. */
export interface UnansweredRequest {
  readonly peer: Peer;
  readonly handle: number;
}

/** `ACK_TIMEOUT`: a request was sent so often and never acknowledged. */
export function neverAcknowledged({ peer, handle }: UnansweredRequest, tries: number): AmandaError {
  const name = describePeer(peer);
  const times = tries === 1 ? 'once' : `${tries} times`;
  return new AmandaError(
    'ACK_TIMEOUT',
    `${name} did not acknowledge the request, sent ${times}; ${adviceOf(peer).silent}`,
    { peer: name, handle },
  );
}

/** The error for a connection that broke before the first packet: it names the peer and advises. */
export function brokenUnanswered(reason: unknown, { peer, handle }: UnansweredRequest): unknown {
  const name = describePeer(peer);
  if (isAmandaError(reason, 'FRAME_TOO_LARGE') || isAmandaError(reason, 'TEXT_IN_CHANNEL')) {
    const message = `${name} does not speak as an amandad of the same auth does. ${reason.message}`;
    return new AmandaError(reason.code, message, { cause: reason, peer: name, handle });
  }
  const { closed } = adviceOf(peer);
  if (closed === undefined || !isAmandaError(reason, 'CONNECTION_LOST') || saysMore(reason))
    return reason;
  return new AmandaError(
    'CONNECTION_LOST',
    `${name} ended the connection before it answered anything; ${closed}`,
    { cause: reason, peer: name, handle },
  );
}

/** Whether the loss has a cause in the protocol: text in the channel, a truncated frame. */
function saysMore({ cause }: Error): boolean {
  return isAmandaError(cause) && (cause.code !== 'CONNECTION_LOST' || saysMore(cause));
}

interface Advice {
  /** For a peer that sends nothing. */
  readonly silent: string;
  /** For a peer that closes without a packet; absent if the driver's own error says more. */
  readonly closed?: string;
}

function adviceOf({ driver }: Peer): Advice {
  return advice[driver] ?? { silent: 'is this an amandad of the same auth?' };
}

const udp: Advice = {
  silent:
    'is this the port of an amandad of the same auth, and does a firewall let UDP through, both ways?',
};
const login: Advice = {
  silent:
    'does a login profile there wait for input, and is what it starts (amandad-path) an amandad?',
  closed: 'is what is started there (amandad-path) an amandad?',
};
const advice: Readonly<Record<string, Advice>> = {
  bsdtcp: {
    silent: 'is this an amandad of the same auth?',
    closed:
      'can amandad be started there? Does xinetd (only_from) or a TCP wrapper turn this host away? Is this the port of an amandad with auth bsdtcp, not ssl?',
  },
  ssl: {
    silent:
      'is this an amandad of the same auth? One that refuses our certificate may be silent, too: see its log. Check there the name of this host, the CA, and the fingerprint on file.',
  },
  ssh: login,
  rsh: login,
  local: {
    silent: 'is what was started (amandad-path) an amandad?',
    closed: 'is what was started (amandad-path) an amandad?',
  },
  bsdudp: udp,
  bsd: udp,
};
