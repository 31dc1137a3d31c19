import { allowed, refused, type Verdict } from './verdict.js';
import { wordsOf } from './words.js';

/** Who asks for what, as the rules of an .amandahosts file see it. */
export interface AccessQuestion {
  /** The peer's name that the driver vouches for. */
  readonly host: string;
  /** The peer's address, numeric and not IPv4-mapped; undefined matches no `localhost` line by address. */
  readonly address: string | undefined;
  /** The name on the SECURITY line. */
  readonly user: string;
  readonly service: string;
  /** The user of a line that names none: the one that the target runs as. */
  readonly localUser: string;
  /** The file's path, for the refusal. */
  readonly file: string;
}

/**
 * Decides by the text of an .amandahosts file. The first line that allows decides; no line denies.
 *
 * A text that is not UTF-8 has U+FFFD where the bytes were lost, and matches nothing, since two
 * different names would read the same. Source: PROTOCOL.md, "Access".
 */
export function decide(fileText: string, question: AccessQuestion): Verdict {
  return fileText.split('\n').some((line) => lineAllows(line, question))
    ? allowed
    : refused(advice(question));
}

/** The services of a line that names none, and those that `amdump` stands for. */
const clientServices: readonly string[] = ['noop', 'selfcheck', 'sendsize', 'sendbackup'];
const recoveryServices: readonly string[] = ['amindexd', 'amidxtaped'];

function lineAllows(line: string, question: AccessQuestion): boolean {
  // Amanda reads lines as C strings, so what stands behind a NUL does not exist for it.
  const [host, user = question.localUser, ...rest] = wordsOf(line.split('\0', 1)[0] ?? '');
  if (host === undefined || !hostMatches(host, question) || !sameName(user, question.user))
    return false;
  const services = wordsOf(rest.join(' ').replaceAll(',', ' '));
  if (services.length === 0) return clientServices.includes(question.service);
  return services.some((service) => serviceMatches(service, question.service));
}

function hostMatches(host: string, { host: peer, address }: AccessQuestion): boolean {
  if (sameName(host, peer)) return true;
  const isLoopback = address === '127.0.0.1' || address === '::1';
  return isLoopback && (sameName(host, 'localhost') || sameName(host, 'localhost.localdomain'));
}

function serviceMatches(listed: string, asked: string): boolean {
  return sameText(listed, asked) || (listed === 'amdump' && clientServices.includes(asked));
}

function sameName(one: string, other: string): boolean {
  return sameText(lowerAscii(one), lowerAscii(other));
}

function sameText(one: string, other: string): boolean {
  return one === other && !one.includes('\ufffd');
}

/** Only A–Z are folded, as in C: the Kelvin sign is no k here. */
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function advice({ host, user, service, file }: AccessQuestion): string {
  if (recoveryServices.includes(service))
    return `Please add the line "${host} ${user} amindexd amidxtaped" to ${file} on the server`;
  if (service === 'amdump' || clientServices.includes(service))
    return `Please add the line "${host} ${user} amdump" to ${file} on the client`;
  return `${file}: invalid service ${service}`;
}
