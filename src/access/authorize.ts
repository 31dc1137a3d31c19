import { userInfo } from 'node:os';
import { map, of, type Observable } from 'rxjs';
import type { Peer } from '../transport/channel.js';
import { AmandaError } from '../wire/errors.js';
import { parseSecurity } from '../wire/request.js';
import { messageOf } from '../wire/text.js';
import { cachedAmandahosts } from './amandahosts-cache.js';
import { Amandahosts, type AccessQuestion } from './amandahosts.js';
import { checkPeerName, plainAddress, type PeerNameOptions } from './peer.js';
import { checkSourcePort } from './reserved-port.js';
import { allowed, refused, type Refused, type Verdict } from './verdict.js';

/** The rules by which a target admits requests. */
export interface AccessPolicy {
  /**
   * The owner of the .amandahosts file. Default: the user of this process, by the user database.
   */
  readonly localUser?: LocalUser;
  /** Path of the file; default `.amandahosts` in the local user's home directory. */
  readonly file?: string;
  /**
   * Replaces the file's text, for a program that keeps its rules itself. No file is read, and
   * `file` only names the rules in refusals.
   */
  readonly rules?: string;
  /**
   * Whether requests must come from a port below 1024: yes for bsdtcp, bsd and bsdudp, no for ssl.
   * Default true.
   */
  readonly reservedPort?: boolean;
  /** How to look up the names of peers that the driver has not checked. */
  readonly names?: PeerNameOptions;
}

/** A user of this host, as the user database has it. */
export interface LocalUser {
  readonly name: string;
  /** The user id that must own the file. */
  readonly uid: number;
  readonly home: string;
}

/** A request to authorize. */
export interface AccessRequest {
  /** The name on the SECURITY line, or a refusal of the request's head ({@link readSecurity}). */
  readonly user: string | Refused;
  /** The text after `SERVICE ` on its line. */
  readonly service: string;
  /** A `host` counts as checked; without one it is looked up and checked here. */
  readonly peer: Pick<Peer, 'host' | 'address' | 'port'>;
}

/** The longest user and service: a refusal repeats both, and must fit a packet. */
const MAX_NAME_CHARACTERS = 4096;

/**
 * Makes the check of access, in Amanda's order: peer's name, source port, SERVICE line, SECURITY
 * line, .amandahosts. The check emits one verdict; a refusal's `reason` follows `ERROR ` in the
 * NAK. It reads the file again when it has changed.
 *
 *     authorize(…)(request)  --v|        v: `allowed`, or a refusal with its reason
 *
 * Throws `BAD_ARGUMENT` when no local user is given and the user of this process has no name.
 * Source: PROTOCOL.md, "Access".
 *
 * @example
 * ```ts
 * import { authorize, backupServices, listenBsdtcp, serve } from 'rx-amanda';
 *
 * const rules = 'backup.example.com amandabackup amdump\n';
 *
 * serve(listenBsdtcp({ port: 10080 }), backupServices(() => undefined), {
 *   authorize: authorize({ rules }),
 * }).subscribe(console.log);
 * ```
 */
export function authorize(
  policy: AccessPolicy = {},
): (request: AccessRequest) => Observable<Verdict> {
  const { localUser = currentUser(), reservedPort = true, names } = policy;
  const file = policy.file ?? `${localUser.home}/.amandahosts`;
  const { rules } = policy;
  const given = rules === undefined ? undefined : new Amandahosts(rules);
  const checkFile = (ask: AccessQuestion): Verdict => {
    const found = given ?? cachedAmandahosts(file, localUser.uid);
    const verdict = found instanceof Amandahosts ? found.decide(ask) : found;
    if (verdict.kind === 'allowed') return verdict;
    return refused(
      `user ${ask.user} from ${ask.host} is not allowed to execute the service ${ask.service}: ${verdict.reason}`,
    );
  };
  return ({ user, service, peer }) =>
    peerName(peer, names).pipe(
      map((named): Verdict => {
        if (named.kind !== 'named') return named;
        const { host, address } = named;
        const port = reservedPort ? checkSourcePort(host, peer.port) : allowed;
        if (port.kind === 'refused') return port;
        const asked = askedUser(user, service);
        if (typeof asked !== 'string') return asked;
        return checkFile({ host, address, user: asked, service, localUser: localUser.name, file });
      }),
    );
}

/** A peer with a checked name. */
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

/** The user, if user and service are short enough to ask the file for. */
function askedUser(user: string | Refused, service: string): string | Refused {
  if (typeof user !== 'string') return user;
  if (user.length > MAX_NAME_CHARACTERS)
    return refused(`a user name of ${user.length} characters is not allowed`);
  if (service.length > MAX_NAME_CHARACTERS)
    return refused(`a service name of ${service.length} characters is not allowed`);
  return user;
}

/**
 * User and service by the head of a request, and the request after the SECURITY line. The user is a
 * refusal if the head is malformed. Source: PROTOCOL.md, "Requests and replies".
 */
export function readSecurity(
  body: Uint8Array,
): Omit<AccessRequest, 'peer'> & { readonly rest: Uint8Array } {
  try {
    return parseSecurity(body);
  } catch (error) {
    return {
      user: refused(messageOf(error)),
      service: '',
      rest: body,
    };
  }
}

let known: LocalUser | undefined;

/** Remembered: each connection without rules of its own asks, and the system reads a database. */
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
