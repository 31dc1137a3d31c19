import { AmandaError } from './errors.js';
import { printable, encodeText, decodeText } from './text.js';

/** A request as it goes out. */
export interface RequestBody {
  /** Whom we say we are; for the drivers whose REQ begins with a SECURITY line. */
  readonly user?: string | undefined;
  readonly service: string;
  /** What the service reads: usually an OPTIONS line and the lines behind it. */
  readonly arguments: string | Uint8Array;
}

/** A request as it came in. */
export interface ParsedRequest {
  /** Who the initiator says it is; undefined where the driver has no SECURITY line. */
  readonly user: string | undefined;
  /** What is asked for. Not checked against anything: it may be any text without a newline. */
  readonly service: string;
  readonly arguments: Uint8Array;
}

/** What the SECURITY line of a request says, and the request without it. */
export interface RequestSecurity {
  readonly user: string;
  /** The rest of the SERVICE line, which is what access is checked for. */
  readonly service: string;
  readonly rest: Uint8Array;
}

/**
 * The body of a REQ packet.
 *
 * Errors with `BAD_ARGUMENT` for a user or a service that would not arrive as it is: empty, with a
 * newline or a NUL, or (a service) with anything but small letters, digits, `-` and `_`.
 * Source: PROTOCOL.md, "Requests and replies".
 */
export function encodeRequest({ user, service, arguments: rest }: RequestBody): Uint8Array {
  if (user !== undefined && (user === '' || /[\n\0]/.test(user))) {
    throw new AmandaError(
      'BAD_ARGUMENT',
      `"${printable(user, 80)}" cannot be sent as the name of a user: it is a text without newline and NUL.`,
    );
  }
  if (!/^[a-z0-9_-]{1,64}$/.test(service)) {
    throw new AmandaError(
      'BAD_ARGUMENT',
      `"${printable(service, 80)}" cannot be the name of a service: it has 1 to 64 small letters, digits, "-" and "_".`,
    );
  }
  const head = encodeText(
    `${user === undefined ? '' : `SECURITY USER ${user}\n`}SERVICE ${service}\n`,
  );
  const tail = encodeText(rest);
  const body = new Uint8Array(head.length + tail.length);
  body.set(head);
  body.set(tail, head.length);
  return body;
}

/**
 * Reads the body of a REQ packet; `namesUser` says whether the driver has the SECURITY line.
 *
 * Errors with `BAD_REQUEST`; its message is what a real amandad answers, to be sent as
 * `ERROR message\n` in a NAK. amandad checks the user's access between {@link parseSecurity} and
 * {@link parseService}: a target that does the same names the same fault first.
 * Source: PROTOCOL.md, "Requests and replies".
 */
export function parseRequest(
  body: Uint8Array,
  { namesUser }: { readonly namesUser: boolean },
): ParsedRequest {
  if (!namesUser) return { user: undefined, ...parseService(body) };
  const { user, service, rest } = parseSecurity(body);
  return { user, service, arguments: parseService(rest).arguments };
}

/** Takes the SECURITY line off a request. Errors with `BAD_REQUEST` like {@link parseRequest}. */
export function parseSecurity(body: Uint8Array): RequestSecurity {
  const newline = body.indexOf(NEWLINE);
  const front = newline < 0 ? '' : decodeText(body.subarray(0, newline));
  const line = front.startsWith('SECURITY ') ? front : undefined;
  const start = line === undefined ? 0 : newline + 1;
  // amandad skips newlines in front of the service's name, so the next line would be the name: access is refused for it, and so it must be here.
  const name = hasAt(body, start, SERVICE)
    ? skip(body, start + SERVICE.length, isNewline)
    : body.length;
  if (name === body.length) throw new AmandaError('BAD_REQUEST', 'packet as no SERVICE line');
  if (line === undefined) throw new AmandaError('BAD_REQUEST', 'no bsd SECURITY for P_REQ');
  const words = /^ *([^ ]*) ?([^]*)$/.exec(line.slice('SECURITY '.length));
  const [keyword = '', user = ''] = words?.slice(1) ?? [];
  if (keyword === '') throw new AmandaError('BAD_REQUEST', `SECURITY line: ${line}`);
  if (keyword !== 'USER')
    throw new AmandaError(
      'BAD_REQUEST',
      `REQ SECURITY line parse error, expecting USER, got ${keyword}`,
    );
  if (user === '') throw new AmandaError('BAD_REQUEST', `SECURITY line: ${line}`);
  return {
    user,
    service: decodeText(body.subarray(name, find(body, name, isNewline))),
    rest: body.subarray(start),
  };
}

/** Reads a request that has no SECURITY line, or no longer. Errors with `BAD_REQUEST` like {@link parseRequest}. */
export function parseService(body: Uint8Array): {
  readonly service: string;
  readonly arguments: Uint8Array;
} {
  const start = skip(body, 0, isBlank);
  const name = hasAt(body, start, SERVICE)
    ? skip(body, start + SERVICE.length, isSeparator)
    : body.length;
  const end = find(body, name, isSeparator);
  // Of the blanks behind the name only the first belongs to nobody; the others are arguments already.
  const rest = end + 1;
  if (end === name || rest >= body.length) throw new AmandaError('BAD_REQUEST', 'invalid REQ');
  return { service: decodeText(body.subarray(name, end)), arguments: body.subarray(rest) };
}

const NEWLINE = 0x0a;
const BLANK = 0x20;
const SERVICE = encodeText('SERVICE ');

function isNewline(byte: number): boolean {
  return byte === NEWLINE;
}

function isBlank(byte: number): boolean {
  return byte === BLANK;
}

function isSeparator(byte: number): boolean {
  return isBlank(byte) || isNewline(byte);
}

/** Whether `bytes` has `words` at a place. */
function hasAt(bytes: Uint8Array, at: number, words: Uint8Array): boolean {
  for (let index = 0; index < words.length; index++)
    if (bytes[at + index] !== words[index]) return false;
  return true;
}

/** Where the first byte that is none of these is, from a place on; the length of all when there is none. */
function skip(bytes: Uint8Array, from: number, isOne: (byte: number) => boolean): number {
  return find(bytes, from, (byte) => !isOne(byte));
}

/** Where the first byte that is one of these is, from a place on; the length of all when there is none. */
function find(bytes: Uint8Array, from: number, isOne: (byte: number) => boolean): number {
  let at = from;
  while (at < bytes.length && !isOne(bytes[at] as number)) at++;
  return at;
}
