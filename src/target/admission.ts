import { defaultIfEmpty, from, isObservable, of, type Observable } from 'rxjs';
import { authorize, readSecurity, type AccessRequest } from '../access/authorize.js';
import { namePeer } from '../access/named-peers.js';
import type { NamedPeer } from '../access/peer.js';
import { allowed, refused, type Refused, type Verdict } from '../access/verdict.js';
import type { Peer } from '../transport/channel.js';
import type { Connection } from '../connection/connection.js';
import type { Admission } from '../exchange/respond-options.js';
import type { Service } from '../exchange/service.js';
import { switchFirst } from '../operators/switch-first.js';
import { isInput } from '../operators/checked-input.js';
import { checkArgument, shownValue } from '../wire/arguments.js';
import { AmandaError } from '../wire/errors.js';
import { messageOf } from '../wire/text.js';
import { parseService, type ParsedRequest } from '../wire/request.js';

/** Which requests a target admits, and how many at once. */
export interface AdmissionOptions {
  /**
   * Decides which requests are admitted: gives `allowed` or `refused(reason)`. The first verdict
   * counts. No verdict, another value and an error refuse the request.
   *
   * Default when requests name a user (bsdtcp, ssl and others): Amanda's rules, which check the
   * source port, the name and this process's `.amandahosts`. Default otherwise: everybody may,
   * because what carries the connection has authenticated the peer.
   */
  readonly authorize?: (
    request: AccessRequest,
  ) => Verdict | PromiseLike<Verdict> | Observable<Verdict>;
  /** Concurrent requests on one connection; more are refused. Each may hold 4 MiB. Default 16. */
  readonly maxRequests?: number;
}

/**
 * Judges the requests of a connection, in Amanda's order. The order is the peer's name (looked up
 * once), the format of the request, the access rules, and whether the service exists.
 * Source: PROTOCOL.md, "Access".
 */
export function admission(
  connection: Connection,
  services: Readonly<Record<string, Service>>,
  active: () => number,
  { authorize: rules = rulesFor(connection), maxRequests = 16 }: AdmissionOptions,
): (body: Uint8Array) => Observable<Admission> {
  let judgedPeer: Named | Refused | undefined;
  const decide = (peer: Named | Refused, body: Uint8Array): Observable<Admission> => {
    judgedPeer = peer;
    return peer.kind === 'refused' ? of(peer) : judge(connection, services, rules, peer.peer, body);
  };
  return (body) => {
    if (active() > maxRequests)
      return of<Admission>({
        kind: 'refused',
        reason: `more than ${maxRequests} requests at once on one connection`,
      });
    judgedPeer ??= alreadyNamed(connection);
    return judgedPeer === undefined
      ? lookUp(connection.peer).pipe(
          switchFirst((found) => decide(withName(connection.peer, found), body)),
        )
      : decide(judgedPeer, body);
  };
}

/** For rules that complete without a verdict. */
const NO_VERDICT = refused('the rules of this target gave no verdict');

interface Named {
  readonly kind: 'named';
  readonly peer: Peer;
}

/** The peer, when its driver vouches for its name or the rules need none. */
function alreadyNamed({ peer, namesUser }: Connection): Named | undefined {
  return !namesUser || peer.host !== undefined || peer.address === undefined
    ? { kind: 'named', peer }
    : undefined;
}

function lookUp({ address = '', port }: Peer): Observable<NamedPeer | Refused> {
  return namePeer({ address, port });
}

function withName(peer: Peer, found: NamedPeer | Refused): Named | Refused {
  return found.kind === 'refused'
    ? found
    : { kind: 'named', peer: Object.assign({}, peer, { host: found.host }) };
}

function judge(
  { namesUser }: Connection,
  services: Readonly<Record<string, Service>>,
  rules: NonNullable<AdmissionOptions['authorize']>,
  peer: Peer,
  body: Uint8Array,
): Observable<Admission> {
  const { user, service, rest } = namesUser
    ? readSecurity(body)
    : { user: undefined, service: '', rest: body };
  const verdict = user === undefined ? of(allowed) : verdictsOf(rules({ user, service, peer }));
  const name = typeof user === 'string' ? user : undefined;
  return verdict.pipe(
    defaultIfEmpty(NO_VERDICT),
    switchFirst((judged): Admission | Observable<Admission> => {
      checkVerdict(judged);
      if (judged.kind === 'refused')
        return {
          kind: 'refused',
          reason: judged.reason,
          request: { user: name, service, arguments: rest },
        };
      const parsed = serviceOf(rest);
      if (parsed.kind === 'refused') return parsed;
      return find(
        services,
        { user: name, service: parsed.service, arguments: parsed.arguments },
        peer,
      );
    }),
  );
}

function verdictsOf(given: Verdict | PromiseLike<Verdict> | Observable<Verdict>) {
  if (isObservable(given)) return given;
  return isInput(given) ? from(given) : of(given);
}

/** Only a verdict admits: rules in JavaScript may give false. */
function checkVerdict(given: Verdict): void {
  const { kind, reason } = (given ?? {}) as { readonly kind?: unknown; readonly reason?: unknown };
  if (kind === 'allowed' || (kind === 'refused' && typeof reason === 'string')) return;
  throw new AmandaError(
    'BAD_ARGUMENT',
    `The rules of a target must give allowed or refused(reason), not ${shownValue(given)}.`,
  );
}

function serviceOf(
  rest: Uint8Array,
): { readonly kind: 'parsed'; readonly service: string; readonly arguments: Uint8Array } | Refused {
  try {
    const parsed = parseService(rest);
    return { kind: 'parsed', service: parsed.service, arguments: parsed.arguments };
  } catch (error) {
    return refused(messageOf(error));
  }
}

function find(
  services: Readonly<Record<string, Service>>,
  request: ParsedRequest,
  peer: Peer,
): Admission | Observable<Admission> {
  const { service } = request;
  const run = Object.hasOwn(services, service) ? services[service] : undefined;
  if (run === undefined)
    return {
      kind: 'refused',
      reason: `${service}: invalid service, add '${service}' as argument to amandad`,
      request,
    };
  const admitted: Admission = { kind: 'admitted', request, peer, service: run };
  if (run.check === undefined) return admitted;
  const given = run.check();
  return (isInput(given) ? from(given) : of(given)).pipe(
    defaultIfEmpty(undefined),
    switchFirst((reason): Admission => {
      if (reason === undefined) return admitted;
      checkArgument('The reason that the check of a service gives', reason, 'name');
      return { kind: 'refused', reason, request };
    }),
  );
}

function rulesFor({
  namesUser,
  peer,
}: Connection): (request: AccessRequest) => Observable<Verdict> {
  return namesUser
    ? authorize({ reservedPort: peer.driver !== 'ssl' && peer.driver !== 'memory' })
    : () => of(allowed);
}
