import { userInfo } from 'node:os';
import { map, of, type Observable } from 'rxjs';
import type { Peer } from '../transport/channel.js';
import { AmandaError } from '../wire/errors.js';
import { readAmandahosts } from './amandahosts-file.js';
import { decide, type AccessQuestion } from './amandahosts.js';
import { checkPeerName, plainAddress, type PeerNameOptions } from './peer.js';
import { parseSecurity } from '../wire/request.js';
import { checkSourcePort } from './reserved-port.js';
import { allowed, refused, type Refused, type Verdict } from './verdict.js';

/** What a target goes by. */
export interface AccessPolicy {
  /** Whose .amandahosts it is. Default: the user this process runs as, by the user database. */
  readonly localUser?: LocalUser;
  /** Path of the file; default `.amandahosts` in the local user's home directory. */
  readonly file?: string;
  /** What stands in for the file's text, for a program that keeps its rules itself: no file is read, `file` only names them in refusals. */
  readonly rules?: string;
  /** Whether requests must come from a port below 1024: yes for bsdtcp, bsd and bsdudp, no for ssl. Default true. */
  readonly reservedPort?: boolean;
  /** How the names of peers are found that the driver has not checked. */
  readonly names?: PeerNameOptions;
}

export interface LocalUser {
  readonly name: string;
  /** The user id that must own the file. */
  readonly uid: number;
  readonly home: string;
}

/** Who asks for what. */
export interface AccessRequest {
  /** The name on the SECURITY line, or what is wrong with the head of the request ({@link readSecurity}). */
  readonly user: string | Refused;
  /** All that stands behind `SERVICE ` on its line. */
  readonly service: string;
  /** Its host is taken for checked; without one it is looked up and checked here. */
  readonly peer: Pick<Peer, 'host' | 'address' | 'port'>;
}

/** Characters of a user or a service that are looked at: both come back in the refusal, which must fit a packet. */
const MAX_NAME_CHARACTERS = 4096;

/**
 * The check that a target makes before it starts anything: peer's name, source port, SERVICE line,
 * SECURITY line, .amandahosts, in Amanda's order. The function it makes emits one verdict; a refusal's `reason` is
 * what stands behind `ERROR ` in the NAK. The file is read anew each time.
 *
 *     authorize({ reservedPort: false })({ user: 'backup', service: 'noop', peer }).subscribe((verdict) => …)
 *
 * Errors with `BAD_ARGUMENT`, at once, when no local user is given and the process runs as one without a name.
 * Source: PROTOCOL.md, "Access".
 */
export function authorize(
  policy: AccessPolicy = {},
): (request: AccessRequest) => Observable<Verdict> {
  const { localUser = currentUser(), reservedPort = true, names } = policy;
  const file = policy.file ?? `${localUser.home}/.amandahosts`;
  const { rules } = policy;
  const checkFile = (ask: AccessQuestion): Verdict => {
    const found =
      rules === undefined
        ? readAmandahosts(file, { owner: localUser.uid })
        : ({ kind: 'read', text: rules } as const);
    const verdict = found.kind === 'read' ? decide(found.text, ask) : found;
    if (verdict.kind === 'allowed') return verdict;
    return refused(
      `user ${ask.user} from ${ask.host} is not allowed to execute the service ${ask.service}: ${verdict.reason}`,
    );
  };
  return ({ user, service, peer }) =>
    peerName(peer, names).pipe(
      map((named): Verdict => {
        if (named.kind === 'refused') return named;
        const { host, address } = named;
        const port = reservedPort ? checkSourcePort(host, peer.port) : allowed;
        if (port.kind === 'refused') return port;
        const asked = whoAsksForWhat(user, service);
        return asked.kind === 'refused'
          ? asked
          : checkFile({
              host,
              address,
              user: asked.user,
              service,
              localUser: localUser.name,
              file,
            });
      }),
    );
}

/** A peer with a name to go by. */
interface KnownPeer {
  readonly kind: 'named';
  readonly host: string;
  readonly address: string | undefined;
}

function peerName(
  { host, address, port }: AccessRequest['peer'],
  names: PeerNameOptions | undefined,
): Observable<KnownPeer | Refused> {
  if (host !== undefined)
    return of({
      kind: 'named',
      host,
      address: address === undefined ? undefined : plainAddress(address),
    });
  if (address === undefined) return of(refused('the peer has neither a name nor an address'));
  return checkPeerName({ address, port }, names);
}

/** The user, when user and service can be asked the file for. */
function whoAsksForWhat(
  user: string | Refused,
  service: string,
): { readonly kind: 'asked'; readonly user: string } | Refused {
  if (typeof user !== 'string') return user;
  if (user.length > MAX_NAME_CHARACTERS)
    return refused(`a user name of ${user.length} characters is not allowed`);
  if (service.length > MAX_NAME_CHARACTERS)
    return refused(`a service name of ${service.length} characters is not allowed`);
  return { kind: 'asked', user };
}

/**
 * What the head of a request says about who asks for what, and the request behind the SECURITY line.
 * A head that cannot be read leaves a refusal as the user. Source: PROTOCOL.md, "Requests and replies".
 */
export function readSecurity(
  body: Uint8Array,
): Omit<AccessRequest, 'peer'> & { readonly rest: Uint8Array } {
  try {
    return parseSecurity(body);
  } catch (error) {
    return {
      user: refused(error instanceof Error ? error.message : String(error)),
      service: '',
      rest: body,
    };
  }
}

let known: LocalUser | undefined;

/** Looked up once: every connection that has no rules of its own asks, and the system looks through the whole user database. */
function currentUser(): LocalUser {
  if (known !== undefined && known.uid === process.geteuid?.()) return known;
  try {
    const { username, uid, homedir } = userInfo();
    known = { name: username, uid, home: homedir };
    return known;
  } catch (cause) {
    throw new AmandaError(
      'BAD_ARGUMENT',
      'The user that this process runs as is not in the user database; name the local user.',
      { cause },
    );
  }
}
