import { parseArgs, type ParseArgsConfig } from 'node:util';
import { messageOf, printable } from '../../wire/text.js';
import { didYouMean } from './suggest.js';

/** The command line is wrong. The message says how. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A signal ended the program. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';

  constructor() {
    super('interrupted; everything was cancelled.');
  }
}

type OptionTable = NonNullable<ParseArgsConfig['options']>;
type Parsed<T extends OptionTable> = ReturnType<
  typeof parseArgs<{ args: string[]; options: T; allowPositionals: true }>
>;

/** Separates options and positional arguments. Throws {@link UsageError} for an unknown option. */
export function parseArguments<const T extends OptionTable>(
  args: readonly string[],
  options: T,
): Parsed<T> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // After the first sentence Node explains how to pass an argument that looks like an option.
    const [sentence = ''] = messageOf(error).split('. ');
    const known = Object.keys(options).map((name) => `--${name}`);
    const [, unknown = ''] = /^Unknown option '(--[^']*)'/.exec(sentence) ?? [];
    const meant = didYouMean(unknown, known);
    throw new UsageError(`${printable(sentence.replace(/\.$/, ''))}.${meant}`);
  }
}

/** The positional arguments. Throws when there are more or fewer than `names`. */
export function takePositionals(args: readonly string[], names: readonly string[]): string[] {
  const missing = names[args.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing.`);
  const extra = args[names.length];
  if (extra !== undefined) throw new UsageError(`"${printable(extra)}" is one word too many.`);
  return [...args];
}

/** Reads a whole number; undefined stays undefined. */
export function wholeNumber(
  option: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (text === undefined) return undefined;
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(
    `${option} takes a whole number from ${least} to ${most}, not "${printable(text)}".`,
  );
}

/** Joins words as in a sentence: `one, two and three`. */
export function enumerate(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
