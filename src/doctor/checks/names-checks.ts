import { isIP } from 'node:net';
import { hostname } from 'node:os';
import {
  catchError,
  concatMap,
  map,
  of,
  take,
  timeout,
  type Observable,
  type OperatorFunction,
} from 'rxjs';
import { checkPeerName } from '../../access/peer.js';
import { messageOf } from '../../wire/text.js';
import { concern, fault, fine, type CheckOutcome, type CheckUnit } from '../check.js';
import { sourceAddress } from '../probes/source-address.js';
import { isDatagramAuth, type TargetFacts } from '../target-facts.js';

/** The time for a name server's answer. */
const NAMES_WITHIN = 11_000;
/** The time for the look-ups that only warn. */
const ASIDE_WITHIN = 4_000;

/** Whether names lead where they should: the target's, and our own as the target sees it. */
export function namesChecks(facts: TargetFacts): readonly CheckUnit[] {
  const isAskedByName =
    facts.auth === 'bsdtcp' || facts.auth === 'ssl' || isDatagramAuth(facts.auth);
  return [
    {
      id: 'names.forward',
      group: 'names',
      needs: [],
      run: () => forward(facts),
    },
    {
      id: 'names.trap',
      group: 'names',
      needs: ['names.forward'],
      run: () => facts.addresses.pipe(map((found) => trap(facts.host, found.map(addressOf)))),
    },
    ...(isAskedByName
      ? ([
          {
            id: 'names.own',
            group: 'names',
            needs: ['names.forward'],
            run: () => withAddress(facts, (address) => ownName(address, facts)),
          },
          {
            id: 'names.target',
            group: 'names',
            needs: ['names.forward'],
            run: () => withAddress(facts, (address) => targetName(address, facts)),
          },
        ] satisfies readonly CheckUnit[])
      : []),
  ];
}

function addressOf({ address }: { readonly address: string }): string {
  return address;
}

function forward({ host, addresses }: TargetFacts): Observable<CheckOutcome> {
  return addresses.pipe(
    map((found) =>
      isIP(host) === 0
        ? fine(`${host} leads to ${found.map(addressOf).join(', ')}.`)
        : fine(`${host} is an address.`),
    ),
    timeout({ first: NAMES_WITHIN }),
    catchError((error: unknown) => of(unknown(host, error))),
  );
}

function unknown(host: string, error: unknown): CheckOutcome {
  const { code = '' } = error as { readonly code?: string };
  const evidence = [messageOf(error)];
  if (code === 'ENOTFOUND')
    return fault('unknown-host', {
      message: `The host ${host} is not known: neither DNS nor /etc/hosts of this host has it.`,
      evidence,
      fix: `Correct the name, or add ${host} to the DNS or to /etc/hosts.`,
    });
  return fault('name-server-silent', {
    message: `The address of ${host} could not be looked up: the name server does not answer.`,
    evidence,
    fix: 'Check the name servers in /etc/resolv.conf, or add the host to /etc/hosts.',
  });
}

const loopbackNames: ReadonlySet<string> = new Set([
  'localhost',
  'localhost.localdomain',
  'localhost4',
  'localhost6',
  'ip6-localhost',
  'ip6-loopback',
]);

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

function trap(host: string, addresses: readonly string[]): CheckOutcome {
  const name = host.toLowerCase();
  if (isIP(host) !== 0) return fine('No name is involved.');
  const loopback = addresses.find(isLoopback);
  if (loopbackNames.has(name)) {
    const other = addresses.find((address) => !isLoopback(address));
    return other === undefined
      ? fine(`${host} is this host itself.`)
      : fault('localhost-trap', {
          message: `${host} leads to ${other}, which is no loopback address.`,
          fix: `Give ${host} the address 127.0.0.1 in /etc/hosts.`,
        });
  }
  if (loopback === undefined) return fine(`${host} is no loopback name.`);
  const own = hostname().toLowerCase();
  if (name === own || own.startsWith(`${name}.`) || name.startsWith(`${own}.`))
    return fine(`${host} is this host, which reaches itself as ${loopback}.`);
  return fault('localhost-trap', {
    message: `${host} leads to ${loopback}, which is this host itself and not ${host}.`,
    fix: `Correct the line of ${host} in /etc/hosts: it needs the address that other hosts reach it by.`,
  });
}

/** The first IPv4 address, as Amanda takes it, or else the first one. */
function withAddress(
  { addresses }: TargetFacts,
  check: (address: string) => Observable<CheckOutcome>,
): Observable<CheckOutcome> {
  return addresses.pipe(
    map((found) => (found.find(({ family }) => family === 4) ?? found[0])?.address),
    onlyFirst((address) =>
      address === undefined ? of(fine('There is no address.')) : check(address),
    ),
  );
}

function onlyFirst<T, R>(work: (value: T) => Observable<R>): OperatorFunction<T, R> {
  return (source) => source.pipe(take(1), concatMap(work));
}

function ownName(target: string, { host, port, options }: TargetFacts): Observable<CheckOutcome> {
  return sourceAddress(target, port).pipe(
    onlyFirst((address) =>
      address === undefined
        ? of(fine('There is no route, so no address of ours.'))
        : checkPeerName({ address }, { within: ASIDE_WITHIN, ...options.names }).pipe(
            map((named) =>
              named.kind === 'named'
                ? fine(
                    named.host === address
                      ? `This host is ${address} to ${host}, without a name: .amandahosts there needs the address.`
                      : `This host is ${named.host} (${address}) to ${host}.`,
                  )
                : silentOr(
                    named.shown,
                    concern('own-name-astray', {
                      message: `The name of this host's address ${address} does not lead back to it: ${named.shown}.`,
                      evidence: [
                        'This is what the names of this host say; those of the target count.',
                      ],
                      fix: `In the DNS and /etc/hosts that ${host} uses, ${address} has to lead to one name, and that name to ${address}.`,
                    }),
                  ),
            ),
          ),
    ),
  );
}

function targetName(address: string, { options }: TargetFacts): Observable<CheckOutcome> {
  return checkPeerName({ address }, { within: ASIDE_WITHIN, ...options.names }).pipe(
    map((named) =>
      named.kind === 'named'
        ? fine(
            named.host === address
              ? `The address ${address} has no name here.`
              : `The address ${address} leads to ${named.host} and back.`,
          )
        : silentOr(
            named.shown,
            concern('target-name-astray', {
              message: `The name of the target's address ${address} does not lead back to it: ${named.shown}.`,
              fix: `Give ${address} one name, and that name the address ${address}. Else recoveries from there are refused here.`,
            }),
          ),
    ),
  );
}

/** A name that could not be looked up says more of the name server than of the name. */
function silentOr(said: string, astray: CheckOutcome): CheckOutcome {
  return /could not be checked within|Temporary failure/.test(said)
    ? concern('name-server-silent', {
        message: `A look-up by this host's name servers failed: ${said}.`,
        fix: 'Check the name servers in /etc/resolv.conf, or add the hosts to /etc/hosts.',
      })
    : astray;
}
