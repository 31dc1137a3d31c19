import type { FindingKind } from './finding-kinds.js';

/** What a refusal means. */
export interface RefusalAdvice {
  readonly kind: FindingKind;
  /** What to do. */
  readonly fix: string;
}

/** What may stand in a fix besides the words of the refusal. */
export interface RefusalContext {
  /** The target, as a person would name it. */
  readonly host: string;
}

/**
 * What to do about a refusal in Amanda's words; undefined for unknown words. The words of 3.5.1 may
 * lack their first letter. Source: PROTOCOL.md, "Access".
 */
export function explainRefusal(text: string, { host }: RefusalContext): RefusalAdvice | undefined {
  for (const [words, kind, fix] of refusals) {
    const match = words.exec(text);
    if (match !== null) return { kind, fix: fix(match.slice(1), host) };
  }
  return undefined;
}

/** Such refusals of 3.5.1 lack their first letter, which is the name's. */
const LETTER =
  ' (Amanda 3.5.1 sends this refusal without its first letter, so the name may lack one.)';

type Fix = (words: readonly string[], host: string) => string;

const refusals: readonly (readonly [words: RegExp, kind: FindingKind, fix: Fix])[] = [
  [
    /host (\S+): port (\d+) not secure/,
    'port-not-secure',
    ([, port = '']) =>
      Number(port) >= 1024
        ? `The request left here from a port below 1024 and arrived from port ${port}: a NAT or a relay between the two changes ports. Exempt this traffic, or use auth ssl or ssh, which need no such port. Without a NAT: run this as root.`
        : 'Run this as root, or give node CAP_NET_BIND_SERVICE.',
  ],
  [
    /Please add the line "(.*)" to (\S+) on the (?:client|server)/,
    'amandahosts-line',
    ([line = '', file = ''], host) => `Add this line to ${file} on ${host}: ${line}`,
  ],
  [
    /(\S*amandahosts): incorrect permissions/,
    'amandahosts-file',
    ([file = ''], host) => `On ${host}: chmod 600 ${file}`,
  ],
  [
    /(\S*amandahosts): owned by id (\d+), should be (\d+)/,
    'amandahosts-file',
    ([file = '', , owner = ''], host) => `On ${host}: chown ${owner} ${file}`,
  ],
  [
    /cannot open (\S*amandahosts): (.*)/,
    'amandahosts-file',
    ([file = '', why = ''], host) =>
      /No such file/.test(why)
        ? `On ${host}: make ${file}, owned by Amanda's user and with mode 600, with a line for this host.`
        : `On ${host}: let Amanda's user read ${file} and enter the folders above it.`,
  ],
  [
    /(?:^|: )(\S*amandahosts): invalid service (\S+)/,
    'amandahosts-line',
    ([file = '', service = ''], host) =>
      `Add the service ${service} to the line of this host and user in ${file} on ${host}.`,
  ],
  [
    /(\S+): invalid service, add '(\S+)' as argument to amandad/,
    'service-not-enabled',
    ([, service = ''], host) =>
      `On ${host}, add ${argumentFor(service)} to amandad's arguments (server_args of xinetd), and restart xinetd.`,
  ],
  [
    /invalid '(.*)' service as argument to amandad/,
    'service-not-enabled',
    ([word = ''], host) => `On ${host}, remove ${word} from amandad's arguments; it is no service.`,
  ],
  [
    /resolve_hostname\('(.*)'\)(?:: (.*)| did not return a canonical name)/,
    'reverse-dns',
    ([name = ''], host) =>
      `${host} found the name ${name} for this host's address, and no address for that name. Give ${name} this host's address in the DNS or /etc/hosts that ${host} uses.`,
  ],
  [
    /etnameinfo failed: (.*)/,
    'reverse-dns',
    (_, host) =>
      `The look-up of this host's address failed on ${host}. Check the name servers in its /etc/resolv.conf, or give this host's address a name in its /etc/hosts.`,
  ],
  [
    /^(\S*) doesn't resolve to itself, it resolves to (\S+)/,
    'reverse-dns',
    ([name = '', other = ''], host) =>
      `${host} found the name ${name} for this host's address, and ${other} as that name's canonical one. In the DNS or /etc/hosts of ${host}, put ${other} first on this address's line.${LETTER}`,
  ],
  [
    /^(\S*) doesn't resolve to (\S+)/,
    'reverse-dns',
    ([name = '', address = ''], host) =>
      `${host} found the name ${name} for this host's address, and that name has other addresses. Give ${name} the address ${address.replace(/:\d+$/, '')} in the DNS or /etc/hosts of ${host}.${LETTER}`,
  ],
  [
    /the name of (\S+) could not be checked/,
    'reverse-dns',
    ([address = ''], host) =>
      `The look-up of ${address} took too long on ${host}. Check its name servers, or add the address to its /etc/hosts.`,
  ],
  [
    /access as (\S+) not allowed from (\S+?)\]? ?amandahostsauth failed|access as (\S+) not allowed from (\S+?)\]/,
    'amandahosts-line',
    ([user = '', who = '', otherUser = '', otherWho = ''], host) => {
      const [name = '', from = ''] = (who || otherWho).split('@');
      return `On ${host}, which runs an Amanda of the 2.4 era, add this line to .amandahosts of ${user || otherUser}: ${from} ${name}`;
    },
  ],
  [
    /ip address (\S+) is not in the ip list for ([^\s\]]+)/,
    'reverse-dns',
    ([address = '', name = ''], host) =>
      `${host} found the name ${name} for the address ${address}, and that name has other addresses. Give ${name} this address in the DNS or /etc/hosts of ${host}.`,
  ],
  [
    /no bsd SECURITY for P_REQ|^invalid REQ$/,
    'other-auth',
    (_, host) =>
      `The amandad on ${host} was started with another auth. Give it the same -auth in its arguments as here, or ask with --auth.`,
  ],
];

function argumentFor(service: string): string {
  return ['noop', 'selfcheck', 'sendsize', 'sendbackup'].includes(service)
    ? `amdump (or ${service})`
    : service;
}
