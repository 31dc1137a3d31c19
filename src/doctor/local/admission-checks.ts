import { basename } from 'node:path';
import { map, of, type Observable } from 'rxjs';
import { fault, fine, type CheckOutcome, type CheckUnit } from '../check.js';
import { allowedHosts, type AllowedHost } from './allowed-hosts.js';
import type { ConfiguredListener } from './listener-files.js';
import type { LocalFacts } from './local-facts.js';
import { isInNetwork, wrapperVerdict } from './tcp-wrapper.js';

/** Whether the hosts of .amandahosts get through to amandad at all. */
export function admissionChecks(facts: LocalFacts): readonly CheckUnit[] {
  const needs = ['local.listener', 'local.amandahosts-file'];
  return [
    { id: 'local.only-from', group: 'local', needs, run: () => onlyFrom(facts) },
    { id: 'local.tcp-wrapper', group: 'local', needs, run: () => tcpWrapper(facts) },
  ];
}

function onlyFrom(facts: LocalFacts): Observable<CheckOutcome> {
  const limited = facts.listeners.find((one) => !one.isDisabled && one.onlyFrom.length > 0);
  if (limited === undefined) return of(fine('Every address may connect.'));
  return keptOut(facts, (host) => !admits(limited.onlyFrom, host)).pipe(
    map(([first, ...more]) =>
      first === undefined
        ? fine(`only_from of ${limited.file} admits the hosts of .amandahosts.`)
        : fault('only-from', {
            message: `.amandahosts lets ${first} in, and only_from of ${limited.file} does not.`,
            evidence: more.map((host) => `${host} too`),
            fix: `Add ${first} to only_from in ${limited.file}, and restart xinetd.`,
          }),
    ),
  );
}

/** The names of the hosts of .amandahosts that have an address and are refused. */
function keptOut(
  facts: LocalFacts,
  isRefused: (host: AllowedHost) => boolean,
): Observable<readonly string[]> {
  return allowedHosts(facts).pipe(
    map((hosts) => hosts.filter((host) => host.addresses.length > 0 && isRefused(host))),
    map((hosts) => hosts.map(({ host }) => host)),
  );
}

function admits(rules: readonly string[], { host, addresses }: AllowedHost): boolean {
  return rules.some((rule) => {
    if (rule.toLowerCase() === host.toLowerCase()) return true;
    if (rule.startsWith('.')) return host.toLowerCase().endsWith(rule.toLowerCase());
    const [network = '', bits] = rule.split('/');
    // A network by its zeros, as 10.0.0.0.
    const zeros = /((?:\.0)+)$/.exec(network)?.[1]?.length ?? 0;
    const length = bits === undefined ? 32 - 4 * zeros : Number(bits);
    return addresses.some((address) => isInNetwork(address, network, length));
  });
}

/** xinetd asks the TCP wrapper by itself, inetd by the program tcpd. */
function tcpWrapper(facts: LocalFacts): Observable<CheckOutcome> {
  const { files, listeners } = facts;
  const wrapped = listeners.find((one) => !one.isDisabled && isWrapped(one));
  if (wrapped === undefined) return of(fine('No TCP wrapper is asked.'));
  const daemon = wrapped.by === 'xinetd' ? basename(wrapped.server) : 'amandad';
  const allow = files.text('/etc/hosts.allow') ?? '';
  const deny = files.text('/etc/hosts.deny') ?? '';
  return keptOut(facts, (host) => wrapperVerdict(allow, deny, daemon, host) === 'denied').pipe(
    map(([first, ...more]) =>
      first === undefined
        ? fine('The TCP wrapper refuses no host of .amandahosts.')
        : fault('tcp-wrapper', {
            message: `.amandahosts lets ${first} in, and /etc/hosts.deny does not.`,
            evidence: more.map((host) => `${host} too`),
            fix: `Add the line "${daemon}: ${first}" to /etc/hosts.allow.`,
          }),
    ),
  );
}

function isWrapped({ by, server }: ConfiguredListener): boolean {
  return by === 'xinetd' || (by === 'inetd' && basename(server) === 'tcpd');
}
