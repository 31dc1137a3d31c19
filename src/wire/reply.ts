import { AmandaError } from './errors.js';
import { parseOptions, type Options } from './options.js';
import { NEWLINE, bytesBefore, decodeText, pairs, printable } from './text.js';

/** A stream that a reply announces. */
export interface AnnouncedStream {
  readonly name: string;
  /** Its number, 1 … 2³¹ − 1; undefined (−1 on the wire) for a stream that does not exist. */
  readonly handle: number | undefined;
}

/** What a REP or PREP says. */
export interface ReplyBody {
  /** The streams of the CONNECT line, in its order; empty without one. */
  readonly connect: readonly AnnouncedStream[];
  /** The first OPTIONS line. */
  readonly options: Options | undefined;
  /** The ERROR lines, without that word. */
  readonly errors: readonly string[];
  /** Every other line, in order. */
  readonly lines: readonly string[];
  /** The whole text as it came. */
  readonly text: string;
}

/** A service's own CONNECT line, with the numbers of the launch contract, and what follows it. */
export interface ServiceConnect {
  readonly connect: readonly { readonly name: string; readonly number: number }[];
  readonly rest: Uint8Array;
}

/** The most streams that a CONNECT line may name; real services name four. */
const MAX_STREAMS = 64;
const streamName = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/**
 * Reads the body of a REP or PREP packet. Lines may come in any order, and any may be missing.
 *
 * Errors with `BAD_REPLY` for a CONNECT line that comes twice, does not pair names and numbers, or
 * names a stream or a handle twice. Source: PROTOCOL.md, "Requests and replies".
 */
export function parseReply(body: Uint8Array): ReplyBody {
  const text = decodeText(body);
  const errors: string[] = [];
  const lines: string[] = [];
  let connect: readonly AnnouncedStream[] | undefined;
  let options: Options | undefined;
  const all = text.split('\n');
  if (all.at(-1) === '') all.pop();
  for (const line of all) {
    const word = /^[A-Z]+(?= |$)/.exec(line)?.[0];
    if (word === 'CONNECT') {
      if (connect !== undefined) throw badConnect(line, 'it is the second one');
      connect = parseConnect(line);
    } else if (word === 'OPTIONS' && options === undefined)
      options = parseOptions(line, 'BAD_REPLY');
    else if (word === 'ERROR') errors.push(line.slice('ERROR '.length));
    else lines.push(line);
  }
  return { connect: connect ?? [], options, errors, lines, text };
}

/**
 * The CONNECT line that announces these streams, with its newline.
 *
 * Errors with `BAD_ARGUMENT` for what {@link parseReply} would refuse.
 */
export function formatConnect(streams: readonly AnnouncedStream[]): string {
  const line = `CONNECT${streams.map(({ name, handle }) => ` ${name} ${handle ?? -1}`).join('')}`;
  try {
    if (!streams.every(({ name, handle }) => streamName.test(name) && handle !== -1))
      throw badConnect(line, 'a name or a number cannot be sent');
    parseConnect(line);
  } catch (cause) {
    throw new AmandaError(
      'BAD_ARGUMENT',
      `These streams cannot be announced: "${printable(line, 200)}".`,
      { cause },
    );
  }
  return `${line}\n`;
}

/**
 * Splits the CONNECT line off what a service wrote; undefined if that does not begin with one.
 *
 * Like amandad it reads the first line only, and a bad number as 0, which means no stream. A name
 * without a number makes the line an ordinary one. Source: PROTOCOL.md, "The exchange: target".
 */
export function splitConnect(body: Uint8Array): ServiceConnect | undefined {
  const line = bytesBefore(body, NEWLINE);
  if (line.length > MAX_CONNECT_LINE) return undefined;
  const [word, ...tokens] = decodeText(line).split(/ +/);
  if (tokens.at(-1) === '') tokens.pop();
  if (word !== 'CONNECT' || tokens.length === 0 || tokens.length % 2 !== 0) return undefined;
  const connect = pairs(tokens).map(([name, number]) => ({
    name,
    number: Number(/^[+-]?\d{1,10}/.exec(number)?.[0] ?? 0),
  }));
  return { connect, rest: body.subarray(line.length + 1) };
}

/** Why a NAK refuses: its text without `ERROR `, which amandad sometimes omits, and the newline. */
export function refusal(body: Uint8Array): string {
  return decodeText(body)
    .replace(/^ERROR /, '')
    .replace(/\n$/, '');
}

/** The longest CONNECT line of a service, in bytes. */
const MAX_CONNECT_LINE = 8192;

function parseConnect(line: string): readonly AnnouncedStream[] {
  const tokens = line
    .split(' ')
    .filter((token) => token !== '')
    .slice(1);
  if (tokens.length % 2 !== 0) throw badConnect(line, 'a name has no number');
  if (tokens.length > 2 * MAX_STREAMS)
    throw badConnect(line, `it names more than ${MAX_STREAMS} streams`);
  const streams = pairs(tokens).map(([name, number]) => {
    if (!streamName.test(name))
      throw badConnect(line, `"${printable(name, 40)}" is no name of a stream`);
    return { name, handle: parseHandle(line, number) };
  });
  const handles = streams.flatMap(({ handle }) => handle ?? []);
  if (new Set(streams.map(({ name }) => name)).size < streams.length)
    throw badConnect(line, 'a name comes twice');
  if (new Set(handles).size < handles.length) throw badConnect(line, 'a number comes twice');
  return streams;
}

function parseHandle(line: string, token: string): number | undefined {
  if (token === '-1') return undefined;
  const handle = /^\d{1,10}$/.test(token) ? Number(token) : 0;
  if (handle < 1 || handle > 0x7fff_ffff)
    throw badConnect(
      line,
      `"${printable(token, 40)}" is no number from 1 to 2147483647 and not -1`,
    );
  return handle;
}

function badConnect(line: string, why: string): AmandaError {
  return new AmandaError(
    'BAD_REPLY',
    `The reply has a CONNECT line that cannot be used, since ${why}: "${printable(line, 200)}".`,
  );
}
