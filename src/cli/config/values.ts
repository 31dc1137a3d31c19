import type { PortRange } from '../../drivers/datagram/stream-listener.js';
import { printable } from '../../wire/text.js';
import { configInvalid, type SourcePosition, type Token } from './lexer.js';
import { foldKeyword } from './statements.js';

/**
 * Reads the values of a key. Throws `CONFIG_INVALID` for an invalid value. `earlier` is the value
 * that the key has so far; most readers replace it.
 */
export type ValueReader<T> = (
  values: readonly Token[],
  key: string,
  at: SourcePosition,
  earlier?: T,
) => T;

/** A string in quotes. */
export const quotedString: ValueReader<string> = (values, key, at) => {
  const [value, ...rest] = values;
  if (value?.kind === 'string' && rest.length === 0) return value.text;
  throw configInvalid(at, `${key} takes one string in double quotes.`);
};

/** A string in quotes, or a whole number. */
export const stringOrNumber: ValueReader<string> = (values, key, at) => {
  const [value, ...rest] = values;
  if (rest.length === 0 && value?.kind === 'string') return value.text;
  if (rest.length === 0 && value?.kind === 'number' && Number.isSafeInteger(value.value))
    return String(value.value);
  throw configInvalid(at, `${key} takes one whole number, or one string in double quotes.`);
};

/** Yes or no; yes when there is no value. */
export const yesNo: ValueReader<boolean> = (values, key, at) => {
  const [value, ...rest] = values;
  if (value === undefined) return true;
  if (rest.length === 0 && value.kind === 'number' && Number.isSafeInteger(value.value))
    return value.value !== 0;
  const meant =
    rest.length === 0 && value.kind === 'word' ? booleans.get(value.text.toLowerCase()) : undefined;
  if (meant !== undefined) return meant;
  throw configInvalid(
    at,
    `${key} takes yes or no (also true, false, on, off, 1, 0), without quotes.`,
  );
};

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['y', 'yes', 't', 'true', 'on'].map((word) => [word, true] as const),
  ...['n', 'no', 'f', 'false', 'off'].map((word) => [word, false] as const),
]);

/** A whole number above 0, with an optional unit. */
export const positive: ValueReader<number> = (values, key, at) => {
  const number = wholeValue(values, key, at);
  if (number < 1) throw configInvalid(at, `${key} is at least 1, not ${number}.`);
  return number;
};

/** A whole number other than 0. The meaning of a negative one depends on the key. */
export const nonZero: ValueReader<number> = (values, key, at) => {
  const number = wholeValue(values, key, at);
  if (number === 0) throw configInvalid(at, `${key} is not 0.`);
  return number;
};

const MOST = 0x7fff_ffff;

/** A whole number, with an optional unit. */
export function wholeValue(
  [value, unit, ...rest]: readonly Token[],
  key: string,
  at: SourcePosition,
): number {
  const times =
    unit === undefined
      ? 1
      : unit.kind === 'word'
        ? multipliers.get(foldKeyword(unit.text))
        : undefined;
  const base =
    value?.kind === 'number'
      ? value.value
      : value?.kind === 'word' && value.text.toLowerCase() === 'inf'
        ? MOST
        : undefined;
  if (base === undefined || times === undefined || rest.length > 0 || !Number.isInteger(base)) {
    throw configInvalid(
      at,
      `${key} takes a whole number, perhaps with one unit such as k or weeks.`,
    );
  }
  const number = base * times;
  if (Math.abs(number) > MOST) throw configInvalid(at, `${key} is over ${MOST}.`);
  return number;
}

const multipliers: ReadonlyMap<string, number> = new Map([
  ...['b', 'bps', 'byte', 'bytes', 'day', 'days', 'tape', 'tapes'].map(
    (word) => [word, 1] as const,
  ),
  ...['k', 'kb', 'kbps', 'kbyte', 'kbytes', 'kilobyte', 'kilobytes', 'kps'].map(
    (word) => [word, 1024] as const,
  ),
  ...['m', 'mb', 'mbps', 'mbyte', 'mbytes', 'meg', 'megabyte', 'megabytes', 'mps'].map(
    (word) => [word, 1024 ** 2] as const,
  ),
  ...['g', 'gb', 'gbps', 'gbyte', 'gbytes', 'gig', 'gigabyte', 'gigabytes'].map(
    (word) => [word, 1024 ** 3] as const,
  ),
  ...['week', 'weeks'].map((word) => [word, 7] as const),
]);

/** `first,last` or one port, within these bounds. */
export function ports(least: number, most: number): ValueReader<PortRange> {
  return (values, key, at) => {
    const [from, comma, to = from, ...rest] = values;
    const isWritten =
      comma === undefined || (comma.kind === 'mark' && comma.text === ',' && values.length === 3);
    if (from?.kind !== 'number' || to?.kind !== 'number' || !isWritten || rest.length > 0) {
      throw configInvalid(
        at,
        `${key} takes one port, or the first and the last one with a comma between, ` +
          'without quotes.',
      );
    }
    const [first, last] = [from.value, to.value];
    if (
      [first, last].every((port) => Number.isInteger(port) && port >= least && port <= most) &&
      first <= last
    )
      return { first, last };
    throw configInvalid(
      at,
      `${key} must lie within ${least} to ${most} and end at or after its start, ` +
        `not be ${first},${last}.`,
    );
  };
}

/** The name after a keyword, with or without quotes. */
export function nameOf(token: Token | undefined, what: string, at: SourcePosition): string {
  if (token?.kind === 'word' || token?.kind === 'string') return token.text;
  throw configInvalid(
    at,
    `${what} is missing${token?.kind === 'mark' ? ` before "${printable(token.text)}"` : ''}.`,
  );
}
