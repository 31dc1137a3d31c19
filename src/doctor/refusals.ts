import { explain, longestRefusal, type ExplanationKind } from '../wire/explanations.js';
import type { FindingKind } from './finding-kinds.js';

/** What a refusal means, and what to do about it. */
export interface RefusalAdvice {
  readonly kind: FindingKind;
  readonly fix: string;
}

/** Explains the words of a refusal; undefined for unknown ones. `host` is the target. */
export function explainRefusal(text: string, host: string): RefusalAdvice | undefined {
  if (text.length > longestRefusal) return undefined;
  for (const [words, kind, fix] of commands) {
    const [, ...parts] = words.exec(text) ?? [];
    if (parts.length > 0) return { kind, fix: fix(host, ...parts) };
  }
  const known = explain(text, host);
  if (known === undefined) return undefined;
  const { kind, advice = `See the log of amandad on ${host}.` } = known;
  return { kind: kinds[kind], fix: isCut(text) ? `${advice} ${CUT}` : advice };
}

const kinds: Readonly<Record<ExplanationKind, FindingKind>> = {
  names: 'reverse-dns',
  sourcePort: 'port-not-secure',
  amandahostsLine: 'amandahosts-line',
  amandahostsFile: 'amandahosts-file',
  otherAuth: 'other-auth',
  service: 'service-not-enabled',
  beforeFeatures: 'old-client',
};

/** Such a refusal begins with a name. */
function isCut(text: string): boolean {
  return /^\S* doesn't resolve to /.test(text);
}

const CUT = 'Amanda 3.5.1 sends this refusal without its first letter, so the name may lack one.';

type Fix = (host: string, ...parts: readonly string[]) => string;

/** Refusals that a line or a command mends. */
const commands: readonly (readonly [words: RegExp, kind: FindingKind, fix: Fix])[] = [
  [
    /Please add the line "(.*)" to (\S+) on the (?:client|server)/,
    'amandahosts-line',
    (host, line, file) => `Add this line to ${file} on ${host}: ${line}`,
  ],
  [
    /(\S*amandahosts): incorrect permissions/,
    'amandahosts-file',
    (host, file) => `On ${host}: chmod 600 ${file}`,
  ],
  [
    /(\S*amandahosts): owned by id \d+, should be (\d+)/,
    'amandahosts-file',
    (host, file, owner) => `On ${host}: chown ${owner} ${file}`,
  ],
  [
    /cannot open (\S*amandahosts): No such file/,
    'amandahosts-file',
    (host, file) =>
      `On ${host}: make ${file}, owned by Amanda's user and with mode 600, with a line for this host.`,
  ],
  [
    /cannot open (\S*amandahosts): /,
    'amandahosts-file',
    (host, file) => `On ${host}: let Amanda's user read ${file} and enter the folders above it.`,
  ],
  [
    /(?:^|: )(\S*amandahosts): invalid service (\S+)/,
    'amandahosts-line',
    (host, file, service) =>
      `Add the service ${service} to the line of this host and user in ${file} on ${host}.`,
  ],
  [
    /invalid service, add '(\S+)' as argument to amandad/,
    'service-not-enabled',
    (host, service) =>
      `On ${host}, add ${service} to amandad's arguments (server_args of xinetd), or amdump for all services of a backup, and restart xinetd.`,
  ],
  [
    /invalid '(.*)' service as argument to amandad/,
    'service-not-enabled',
    (host, word) => `On ${host}, remove ${word} from amandad's arguments; it is no service.`,
  ],
];
