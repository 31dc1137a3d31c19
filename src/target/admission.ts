import { Observable, from, map, of, switchMap, take } from 'rxjs';
import { authorize, readSecurity, type AccessRequest } from '../access/authorize.js';
import { namePeer } from '../access/named-peers.js';
import { allowed, refused, type Refused, type Verdict } from '../access/verdict.js';
import type { Peer } from '../connection/channel.js';
import type { Connection } from '../connection/connection.js';
import type { Admission } from '../exchange/respond.js';
import type { Service } from '../exchange/service.js';
import { parseService } from '../wire/request.js';

export interface AdmissionOptions {
  /**
   * Who may ask for what. Default: where requests name a user (bsdtcp and its kin) Amanda's rules, which are source port, name
   * and the `.amandahosts` of the user this process runs as; elsewhere everybody, since whoever reached us was let in already.
   */
  readonly authorize?: (request: AccessRequest) => Observable<Verdict>;
  /** Requests at once on one connection; one more is refused. Each may hold up to 4 MiB. Default 16. */
  readonly maxRequests?: number;
}

/**
 * Judges the requests of a connection: its peer's name (looked up once), what the request looks like, who
 * may do what, and whether there is such a service, in Amanda's order. Source: PROTOCOL.md, "Access".
 */
export function admission(
  connection: Connection,
  services: Readonly<Record<string, Service>>,
  active: () => number,
  { authorize: rules = rulesFor(connection), maxRequests = 16 }: AdmissionOptions,
): (body: Uint8Array) => Observable<Admission> {
  let known: Named | Refused | undefined;
  const decide = (peer: Named | Refused, body: Uint8Array): Observable<Admission> => {
    known = peer;
    if (peer.kind === 'refused') return of(peer);
    return judge(connection, rules, peer.peer, body).pipe(switchMap((verdict) => (verdict.kind === 'refused' ? of(verdict) : find(services, verdict))));
  };
  return (body) => {
    if (active() > maxRequests) return of<Admission>({ kind: 'refused', reason: `more than ${maxRequests} requests at once on one connection` });
    return known === undefined ? identify(connection).pipe(switchMap((peer) => decide(peer, body))) : decide(known, body);
  };
}

interface Named {
  readonly kind: 'named';
  readonly peer: Peer;
}

/** A request that may run if there is such a service. */
interface Permitted {
  readonly kind: 'permitted';
  readonly user: string | undefined;
  readonly service: string;
  readonly arguments: Uint8Array;
  readonly peer: Peer;
}

function identify({ peer, namesUser }: Connection): Observable<Named | Refused> {
  const { address, port, host } = peer;
  if (!namesUser || host !== undefined || address === undefined) return of({ kind: 'named', peer });
  return namePeer({ address, port }).pipe(map((named) => (named.kind === 'refused' ? named : { kind: 'named', peer: { ...peer, host: named.host } })));
}

function judge(
  { namesUser }: Connection,
  rules: (request: AccessRequest) => Observable<Verdict>,
  peer: Peer,
  body: Uint8Array,
): Observable<Permitted | Extract<Admission, { kind: 'refused' }>> {
  const { user, service, rest } = namesUser ? readSecurity(body) : { user: undefined, service: '', rest: body };
  const verdict = user === undefined ? of(allowed) : rules({ user, service, peer });
  return verdict.pipe(
    map((judged) => {
      if (judged.kind === 'refused') return { ...judged, request: { user: typeof user === 'string' ? user : undefined, service, arguments: rest } };
      try {
        return { kind: 'permitted', user: typeof user === 'string' ? user : undefined, peer, ...parseService(rest) };
      } catch (error) {
        return refused(error instanceof Error ? error.message : String(error));
      }
    }),
  );
}

function find(services: Readonly<Record<string, Service>>, { user, service, arguments: rest, peer }: Permitted): Observable<Admission> {
  const request = { user, service, arguments: rest };
  const run = Object.hasOwn(services, service) ? services[service] : undefined;
  if (run === undefined) return of({ kind: 'refused', reason: `${service}: invalid service, add '${service}' as argument to amandad`, request });
  const admitted: Admission = { kind: 'admitted', request, peer, service: run };
  if (run.check === undefined) return of(admitted);
  return from(run.check()).pipe(
    take(1),
    map((reason) => (reason === undefined ? admitted : { kind: 'refused', reason, request })),
  );
}

function rulesFor({ namesUser, peer }: Connection): (request: AccessRequest) => Observable<Verdict> {
  return namesUser ? authorize({ reservedPort: peer.driver !== 'ssl' && peer.driver !== 'memory' }) : () => of(allowed);
}
