/** What a refusal is about. */
export type ExplanationKind =
  /** A look-up of names at the target failed, or led elsewhere. */
  | 'names'
  /** The request came from a source port of 1024 or above. */
  | 'sourcePort'
  /** No line of .amandahosts allows the request. */
  | 'amandahostsLine'
  /** The file .amandahosts itself cannot be used. */
  | 'amandahostsFile'
  /** The two sides use different auths. */
  | 'otherAuth'
  /** The target was not started with that service. */
  | 'service'
  /** The target is an Amanda from before features (before 2.4.3). */
  | 'beforeFeatures';

/** What a target's words mean, and what to do about them. */
export interface PeerExplanation {
  readonly kind: ExplanationKind;
  /** Sentences for a person. Absent when the target's own words say what to do. */
  readonly advice?: string;
}

/**
 * Explains the text of a NAK or of an ERROR line; undefined for words that we do not know.
 *
 * `host` is the target as a person names it. It stands in the advice, because most remedies are
 * there. A text without its first letter is the NAK of 3.5.1 for a failed look-up.
 * A refusal is a short sentence: text of more than 1,000 characters is not examined.
 * Source: PROTOCOL.md, "Access".
 */
export function explain(text: string, host = 'the target'): PeerExplanation | undefined {
  if (text.length > longestRefusal) return undefined;
  for (const [words, kind, adviceOf] of rules) {
    const found = words.exec(text);
    if (found === null) continue;
    if (adviceOf === undefined) return { kind };
    const parts = found.slice(1).map((part) => part ?? '');
    return { kind, advice: adviceOf(host, ...parts) };
  }
  return undefined;
}

/**
 * In characters. The time of the patterns grows with the square of the length, and a hostile peer
 * chooses the text.
 */
export const longestRefusal = 1000;

type Advice = (host: string, ...parts: readonly string[]) => string;
type Rule = readonly [words: RegExp, kind: ExplanationKind, advice?: Advice];

/** The first match counts. The words are those of Amanda 2.4 to 3.5 and of this library. */
const rules: readonly Rule[] = [
  [
    /esolve_hostname\('?([^')]*)'?\)(?:: (.*)| did not return a canonical name)/,
    'names',
    (host, name = '', why = 'it has no canonical name') =>
      `The look-up on ${host} failed, not ours: ${host} found the name ${name} for the address of ` +
      `this host, and then asked for the address of ${name} (${why || 'no canonical name'}). ` +
      `Add a line "ADDRESS ${name}" with the address of this host to /etc/hosts on ${host}, or to its DNS.`,
  ],
  [
    /etnameinfo failed:? ?(.*)/,
    'names',
    (host, why = '') =>
      `The look-up on ${host} failed, not ours: ${host} asked for the name of this host's address` +
      `${why === '' ? '' : ` (${why})`}. ` +
      `Add a line "ADDRESS NAME" for this host to /etc/hosts on ${host}, or a PTR record to its DNS.`,
  ],
  [
    /(\S*) doesn't resolve to itself, it resolves to (\S+)/,
    'names',
    (host, name = '', other = '') =>
      `${host} looked up who is asking: the address of this host led to ${name}, and ${name} to ${other}. ` +
      `On ${host}, in /etc/hosts or its DNS, the name of that address has to be the canonical one: ` +
      `put ${name} first on its line in /etc/hosts, or let the PTR record name ${other}.`,
  ],
  [
    /(\S*) doesn't resolve to ([\d.]+|[\da-f:]*:[\da-f:]*?)(?::\d+)?$/i,
    'names',
    (host, name = '', address = '') =>
      `${host} looked up who is asking: ${address} led to ${name}, but ${name} does not lead back. ` +
      `On ${host}, add the line "${address} ${name}" to /etc/hosts, or that address to ${name} in its DNS.`,
  ],
  [
    /ip address (\S+) is not in the ip list for (.*?)\]?$/,
    'names',
    (host, address = '', name = '') =>
      `${host} looked up who is asking: ${address} led to ${name}, but ${name} does not lead back. ` +
      `On ${host}, add the line "${address} ${name}" to /etc/hosts, or that address to ${name} in its DNS.`,
  ],
  [
    /\[(?:addr|host) (.*?): hostname lookup failed\]/,
    'names',
    (host, address = '') =>
      `The look-up on ${host} failed, not ours: it has no name for ${address}, or no address for it. ` +
      `Add a line "ADDRESS NAME" for this host to /etc/hosts on ${host}, or a PTR record to its DNS.`,
  ],
  [
    /the name of (\S+) could not be checked within \d+ ms/,
    'names',
    (host, address = '') =>
      `The look-up on ${host} took too long, not ours: the DNS that ${host} asks does not answer for ${address}. ` +
      `Add a line "${address} NAME" for this host to /etc/hosts on ${host}, or mend its DNS.`,
  ],
  [
    /port (\d+) not secure/,
    'sourcePort',
    (_, port = '') =>
      `It wants a source port below 1024, and saw ${port}: run this as root, give node CAP_NET_BIND_SERVICE, ` +
      'or lower net.ipv4.ip_unprivileged_port_start; ' +
      'and is there a NAT between the two that changes ports?',
  ],
  [
    /\[access as (\S+) not allowed from (\S+)@(\S+?)\](?: (.*))?/,
    'amandahostsLine',
    (host, user = '', asking = '', from = '', why = '') =>
      `${host} runs an Amanda of the 2.4 era as user ${user}` +
      `${/open|no such/i.test(why) ? ', which cannot read its file' : ''}. ` +
      `Add the line "${from} ${asking}" to .amandahosts in the home directory of ${user} on ${host}, ` +
      `and give the file to ${user} alone (chmod 600).`,
  ],
  [/Please add the line "/, 'amandahostsLine'],
  [
    /incorrect permissions;|owned by id \d+, should be|cannot open .*amandahosts/,
    'amandahostsFile',
    (host) =>
      `That file is on ${host}, and only its owner, the user that amandad runs as, may read it.`,
  ],
  [
    /^(?:no bsd SECURITY for P_REQ|invalid REQ)$/,
    'otherAuth',
    (host) => `On ${host} amandad was started for another auth than it was asked with.`,
  ],
  [
    /client configured for auth=(\S*?) while server requested '([^']*)'/,
    'otherAuth',
    (host, theirs = '', ours = '') =>
      `On ${host} amandad was started with -auth=${theirs}, and this side asks with auth ${ours}: ` +
      `use --auth ${theirs} here (auth "${theirs}" in the dumptype), or -auth=${ours} there.`,
  ],
  [
    /unknown service: noop|^\[?noop: invalid service\]?$|^FORMAT ERROR IN REQUEST PACKET$/,
    'beforeFeatures',
    beforeFeatures,
  ],
  [/invalid service, add '.*' as argument to amandad/, 'service'],
  [
    /unknown service: (\S+)/,
    'service',
    (host, service = '') => `The amandad of ${host} is too old to know the service ${service}.`,
  ],
];

/** What may be sent to an Amanda from before features. */
export function beforeFeatures(host: string): string {
  return (
    `${host} runs an Amanda from before features (before 2.4.3), and may be alive and well. ` +
    'It reads one line of text for each disk instead of XML, which `rx-amanda service` sends if you write it. ' +
    'The calls for checks, estimates and dumps send XML, so they need Amanda 2.6 or later there.'
  );
}
