import { AmandaError, type AmandaErrorCode } from './errors.js';
import { Features } from './features.js';
import { printable } from './text.js';

/** One `name=value;` of an OPTIONS line; `value` is undefined for a bare name. */
export interface Option {
  readonly name: string;
  readonly value: string | undefined;
}

/** The values of an OPTIONS line; undefined ones are left out. */
export interface OptionFields {
  readonly features?: Features | undefined;
  /** How many dumps may run at the same time on the target, 1 or more. */
  readonly maxdumps?: number | undefined;
  readonly hostname?: string | undefined;
  readonly config?: string | undefined;
  /** `YYYYMMDDhhmmss`, the start of the run. */
  readonly timestamp?: string | undefined;
  readonly auth?: string | undefined;
  /** Any others, written after these. */
  readonly other?: Iterable<readonly [name: string, value: string]> | undefined;
}

/** The longest OPTIONS line that is read, in characters; real ones have about 200. */
const MAX_LINE = 65_536;
const knownNames: ReadonlySet<string> = new Set([
  'features',
  'maxdumps',
  'hostname',
  'config',
  'timestamp',
  'auth',
]);

/**
 * The `OPTIONS name=value;…` line of a request or a reply. Immutable; keeps the order of entries.
 * The last of two entries with the same name counts, as in Amanda.
 * Source: PROTOCOL.md, "Requests and replies".
 */
export class Options {
  readonly entries: readonly Option[];

  constructor(entries: readonly Option[] = []) {
    this.entries = entries;
  }

  /**
   * What the sender can do.
   *
   * Decoded on access, so that a line with a bad feature string is still readable. Errors with
   * `BAD_FEATURES`.
   */
  get features(): Features | undefined {
    const hex = this.get('features');
    return hex === undefined ? undefined : Features.parse(hex);
  }

  /** How many dumps may run at the same time, 1 or more; undefined for any other text. */
  get maxdumps(): number | undefined {
    const count = Number(this.get('maxdumps')?.match(/^\d{1,9}$/)?.[0]);
    return count > 0 ? count : undefined;
  }

  get hostname(): string | undefined {
    return this.get('hostname');
  }

  get config(): string | undefined {
    return this.get('config');
  }

  get timestamp(): string | undefined {
    return this.get('timestamp');
  }

  get auth(): string | undefined {
    return this.get('auth');
  }

  /** The entries with other names than those above; a bare name has an empty value here. */
  get other(): ReadonlyMap<string, string> {
    return new Map(
      this.entries
        .filter(({ name }) => !knownNames.has(name))
        .map(({ name, value }) => [name, value ?? '']),
    );
  }

  /** The value of a name. */
  get(name: string): string | undefined {
    return this.entries.findLast((entry) => entry.name === name)?.value;
  }

  /** This line with another value for a name, in the place of the old one or at the end. */
  with(name: string, value: string): Options {
    const place = this.entries.findIndex((entry) => entry.name === name);
    if (place < 0) return new Options([...this.entries, { name, value }]);
    return new Options(
      this.entries.flatMap((entry, index) =>
        entry.name !== name ? [entry] : index === place ? [{ name, value }] : [],
      ),
    );
  }

  /**
   * The line, with its newline.
   *
   * Errors with `BAD_ARGUMENT` for a `;`, newline or NUL, which would end a name or value early.
   */
  toString(): string {
    return `OPTIONS ${this.entries.map(formatEntry).join('')}\n`;
  }
}

/**
 * Reads an OPTIONS line, with or without its newline.
 *
 * Errors with `BAD_REQUEST` (or the given code) for any other line and for one over 65,536
 * characters. A bad feature string is an error only when {@link Options.features} is read.
 */
export function parseOptions(line: string, code: AmandaErrorCode = 'BAD_REQUEST'): Options {
  if (line.length > MAX_LINE)
    throw new AmandaError(
      code,
      `An OPTIONS line of ${line.length} characters is over the ${MAX_LINE} that are read.`,
    );
  const text = line.endsWith('\n') ? line.slice(0, -1) : line;
  if (text.includes('\n') || (text !== 'OPTIONS' && !text.startsWith('OPTIONS '))) {
    throw new AmandaError(code, `An OPTIONS line was expected, not "${printable(line, 80)}".`);
  }
  const entries = text
    .slice('OPTIONS '.length)
    .split(';')
    .filter((entry) => entry !== '');
  return new Options(entries.map(parseEntry));
}

/**
 * The OPTIONS line of these values, with its newline, in the order in which 3.5.1 writes them.
 * Errors with `BAD_ARGUMENT` as {@link Options.toString} does.
 */
export function formatOptions(fields: OptionFields): string {
  const { features, maxdumps, hostname, config, timestamp, auth, other } = fields;
  if (maxdumps !== undefined && (!Number.isInteger(maxdumps) || maxdumps < 1)) {
    throw new AmandaError(
      'BAD_ARGUMENT',
      `maxdumps must be a whole number from 1, not ${maxdumps}.`,
    );
  }
  const known: Record<string, string | undefined> = {
    features: features?.toString(),
    maxdumps: maxdumps?.toString(),
    hostname,
    config,
    timestamp,
    auth,
  };
  const entries = [...Object.entries(known), ...(other ?? [])].map(([name, value]) => ({
    name,
    value,
  }));
  return new Options(entries.filter(({ value }) => value !== undefined)).toString();
}

function parseEntry(entry: string): Option {
  const sign = entry.indexOf('=');
  return sign < 0
    ? { name: entry, value: undefined }
    : { name: entry.slice(0, sign), value: entry.slice(sign + 1) };
}

function formatEntry({ name, value }: Option): string {
  if (hasAny(name, ';', '=', '\n', '\0') || (name === '' && value === undefined)) {
    throw new AmandaError(
      'BAD_ARGUMENT',
      `"${printable(name, 80)}" cannot be the name of an option.`,
    );
  }
  if (value === undefined) return `${name};`;
  if (hasAny(value, ';', '\n', '\0')) {
    throw new AmandaError(
      'BAD_ARGUMENT',
      `The option ${printable(name, 80)} cannot be "${printable(value, 80)}": a ";", a newline or a NUL would end it early.`,
    );
  }
  return `${name}=${value};`;
}

function hasAny(text: string, ...signs: readonly string[]): boolean {
  return signs.some((sign) => text.includes(sign));
}
