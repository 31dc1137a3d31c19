import { AmandaError } from './errors.js';
import { NEWLINE, bytesBefore, decodeText, encodeText, printable } from './text.js';

/** A request as it is sent. */
export interface RequestBody {
  /** The initiator's name, for drivers whose REQ begins with a SECURITY line. */
  readonly user?: string | undefined;
  readonly service: string;
  /** What the service reads: usually an OPTIONS line and the lines after it. */
  readonly arguments: string | Uint8Array;
}

/** A request as it arrived. */
export interface ParsedRequest {
  /** The name that the initiator gives; undefined for a driver without a SECURITY line. */
  readonly user: string | undefined;
  /** The name of the service: any text without a newline, as yet unchecked. */
  readonly service: string;
  readonly arguments: Uint8Array;
}

/** The SECURITY line of a request, and the request without it. */
export interface RequestSecurity {
  readonly user: string;
  /** The rest of the SERVICE line; access is checked for it. */
  readonly service: string;
  readonly rest: Uint8Array;
}

/**
 * The body of a REQ packet.
 *
 * Errors with `BAD_ARGUMENT` for a user that is empty or has a newline or a NUL. Errors with it
 * also for a service that is not 1 to 64 small letters, digits, `-` and `_`. Source: PROTOCOL.md,
 * "Requests and replies".
 */
export function encodeRequest({ user, service, arguments: rest }: RequestBody): Uint8Array {
  const security = user === undefined ? '' : securityLine(user);
  if (!/^[a-z0-9_-]{1,64}$/.test(service)) {
    throw new AmandaError(
      'BAD_ARGUMENT',
      `"${printable(service, 80)}" cannot be the name of a service: it must have 1 to 64 small letters, digits, "-" and "_".`,
    );
  }
  const head = encodeText(`${security}SERVICE ${service}\n`);
  const tail = encodeText(rest);
  const body = new Uint8Array(head.length + tail.length);
  body.set(head);
  body.set(tail, head.length);
  return body;
}

function securityLine(user: string): string {
  if (/^[^\n\0]+$/.test(user)) return `SECURITY USER ${user}\n`;
  throw new AmandaError(
    'BAD_ARGUMENT',
    `"${printable(user, 80)}" cannot be the name of a user: it must be a text without newline and NUL, and not be empty.`,
  );
}

/**
 * Reads the body of a REQ packet; `namesUser` says whether the driver has the SECURITY line.
 *
 * Errors with `BAD_REQUEST`; its message is amandad's, for a NAK of `ERROR message\n`. amandad
 * checks the user's access between {@link parseSecurity} and {@link parseService}, so a target that
 * does the same reports the same fault first. Source: PROTOCOL.md, "Requests and replies".
 */
export function parseRequest(
  body: Uint8Array,
  { namesUser }: { readonly namesUser: boolean },
): ParsedRequest {
  if (!namesUser) return { user: undefined, ...parseService(body) };
  const { user, service, rest } = parseSecurity(body);
  return { user, service, arguments: parseService(rest).arguments };
}

/** Splits the SECURITY line off a request. Errors as {@link parseRequest} does. */
export function parseSecurity(body: Uint8Array): RequestSecurity {
  const front = bytesBefore(body, NEWLINE);
  const line = decodeText(front);
  const isSecurity = line.startsWith('SECURITY ');
  const start = isSecurity ? front.length + 1 : 0;
  // amandad skips newlines before the service's name, so the next line would be the name, and
  // access is refused for that.
  const name = hasAt(body, start, SERVICE)
    ? skip(body, start + SERVICE.length, isNewline)
    : body.length;
  if (name === body.length) throw new AmandaError('BAD_REQUEST', 'packet as no SERVICE line');
  if (!isSecurity) throw new AmandaError('BAD_REQUEST', 'no bsd SECURITY for P_REQ');
  const [keyword, ...words] = line.replace(/^SECURITY +/, '').split(' ');
  const user = words.join(' ');
  if (keyword !== '' && keyword !== 'USER')
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

/** Reads a request without a SECURITY line. Errors as {@link parseRequest} does. */
export function parseService(body: Uint8Array): {
  readonly service: string;
  readonly arguments: Uint8Array;
} {
  const start = skip(body, 0, isBlank);
  const name = hasAt(body, start, SERVICE)
    ? skip(body, start + SERVICE.length, isSeparator)
    : body.length;
  const end = find(body, name, isSeparator);
  // Only the first blank after the name is a separator; others belong to the arguments.
  const rest = end + 1;
  if (rest >= body.length) throw new AmandaError('BAD_REQUEST', 'invalid REQ');
  return { service: decodeText(body.subarray(name, end)), arguments: body.subarray(rest) };
}

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

/** Whether `bytes` contains `word` at a place. */
function hasAt(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
  return word.every((byte, index) => bytes[at + index] === byte);
}

/** The index of the first byte from a place on that does not match; the length without one. */
function skip(bytes: Uint8Array, from: number, matches: (byte: number) => boolean): number {
  return find(bytes, from, (byte) => !matches(byte));
}

/** The index of the first byte from a place on that matches; the length without one. */
function find(bytes: Uint8Array, from: number, matches: (byte: number) => boolean): number {
  const at = bytes.subarray(from).findIndex(matches);
  return at < 0 ? bytes.length : from + at;
}
