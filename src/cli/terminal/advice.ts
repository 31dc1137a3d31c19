import { isAmandaError } from '../../wire/errors.js';

/**
 * What to do about a refusal that Amanda's own words do not explain. Undefined for all other
 * errors.
 */
export function adviceFor(error: unknown): string | undefined {
  if (!isAmandaError(error, 'REFUSED')) return undefined;
  return refusals.find(([words]) => words.test(error.message))?.[1];
}

/** Amanda's words and our advice. Source: PROTOCOL.md, "Access". */
const refusals: readonly (readonly [words: RegExp, advice: string])[] = [
  [
    /port \d+ not secure$/,
    'It wants a source port below 1024: run this as root, give node CAP_NET_BIND_SERVICE, ' +
      'or lower net.ipv4.ip_unprivileged_port_start; ' +
      'and is there a NAT between the two that changes ports?',
  ],
  [
    /doesn't resolve to/,
    'It looks up who is calling: in its DNS or /etc/hosts the address of this host ' +
      'has to lead to a name, and that name to itself and back to the address.',
  ],
  [
    /^(no bsd SECURITY for P_REQ|invalid REQ)$/,
    'It was started for another auth than it was asked with.',
  ],
  [
    /incorrect permissions;|owned by id \d+, should be|cannot open .*amandahosts/,
    'That file is on the target, and only its owner, the user that amandad runs as, may read it.',
  ],
];
