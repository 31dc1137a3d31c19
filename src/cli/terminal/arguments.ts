import { parseArgs, type ParseArgsConfig } from 'node:util';
import { messageOf, printable } from '../../wire/text.js';

/** What was typed cannot be meant. The message says what is wrong with it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A signal has ended the program. */
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

/** Sorts words into options and the rest. Throws {@link UsageError} for an option that is not in the table. */
export function parseArguments<const T extends OptionTable>(
  words: readonly string[],
  options: T,
): Parsed<T> {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true });
  } catch (error) {
    // Behind the first sentence Node explains how to pass a word that looks like an option.
    const [said = ''] = messageOf(error).split('. ');
    throw new UsageError(`${printable(said.replace(/\.$/, ''))}.`);
  }
}

/** The one word, or the words, that stand without an option; throws when there are more or fewer than `names`. */
export function takePositionals(words: readonly string[], names: readonly string[]): string[] {
  const missing = names[words.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing.`);
  const extra = words[names.length];
  if (extra !== undefined) throw new UsageError(`"${printable(extra)}" is one word too many.`);
  return [...words];
}

/** A whole number as it was typed; undefined stays undefined. */
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

/** Words as a sentence has them: `one, two and three`. */
export function enumerate(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
