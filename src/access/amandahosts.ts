import { wordsOf } from '../wire/text.js';
import { allowed, refused, type Verdict } from './verdict.js';

/** A request as the rules of an .amandahosts file see it. */
export interface AccessQuestion {
  /** The peer's name, checked by the driver. */
  readonly host: string;
  /** The peer's address, numeric and not IPv4-mapped; undefined is never a loopback address. */
  readonly address: string | undefined;
  /** The name on the SECURITY line. */
  readonly user: string;
  readonly service: string;
  /** The user of a line that names none: the target's own. */
  readonly localUser: string;
  /** The file's path, for the reason of a refusal. */
  readonly file: string;
}

/**
 * Decides by the text of an .amandahosts file: one line that allows is enough, and no line denies.
 *
 * A word with U+FFFD, which stands for bytes that are not UTF-8, matches nothing, because different
 * names read the same. Source: PROTOCOL.md, "Access".
 */
export function decide(fileText: string, question: AccessQuestion): Verdict {
  return new Amandahosts(fileText).decide(question);
}

/** The lines of an .amandahosts file by their hosts, for many questions. */
export class Amandahosts {
  readonly #linesOf = new Map<string, string[]>();

  constructor(fileText: string) {
    for (const line of fileText.split('\n')) {
      const [, word = ''] = FIRST_WORD.exec(line) ?? [];
      if (word === '') continue;
      const host = lowerAscii(word);
      const lines = this.#linesOf.get(host);
      if (lines === undefined) this.#linesOf.set(host, [line]);
      else lines.push(line);
    }
  }

  /** Does what {@link decide} does. */
  decide(question: AccessQuestion): Verdict {
    const asked = {
      ...question,
      host: lowerAscii(question.host),
      user: lowerAscii(question.user),
    };
    const isAllowed = [asked.host, ...LOOPBACK_NAMES].some((host) =>
      this.#linesOf.get(host)?.some((line) => lineAllows(line, asked)),
    );
    return isAllowed ? allowed : refused(advice(question));
  }
}

/** Up to a blank, or to a NUL, at which Amanda's C strings end. */
const FIRST_WORD = /^[ \t]*([^ \t\0]+)/;

/** Names that a peer with a loopback address matches. */
const LOOPBACK_NAMES = ['localhost', 'localhost.localdomain'] as const;

/** The services of a line that names none, and those of the word `amdump`. */
const clientServices: readonly string[] = ['noop', 'selfcheck', 'sendsize', 'sendbackup'];
const recoveryServices: readonly string[] = ['amindexd', 'amidxtaped'];

/** `question`: host and user in lower case. */
function lineAllows(line: string, question: AccessQuestion): boolean {
  // Amanda reads lines as C strings, which end at a NUL.
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
  return isLoopback && LOOPBACK_NAMES.some((name) => sameName(host, name));
}

function serviceMatches(listed: string, asked: string): boolean {
  return sameText(listed, asked) || (listed === 'amdump' && clientServices.includes(asked));
}

function sameName(one: string, lowered: string): boolean {
  return one.length === lowered.length && sameText(lowerAscii(one), lowered);
}

function sameText(one: string, other: string): boolean {
  return one === other && !one.includes('\ufffd');
}

/** Folds only A–Z, as C does: the Kelvin sign stays different from k. */
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
