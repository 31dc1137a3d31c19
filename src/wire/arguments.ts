import { AmandaError } from './errors.js';
import { printable } from './text.js';

/** The kinds of argument, in the words of a message. */
const kinds = {
  string: 'a string',
  name: 'a string that is not empty',
  strings: 'a list of strings',
  list: 'a list',
  function: 'a function',
  object: 'an object',
  number: 'a number',
  boolean: 'true or false',
  bytes: 'a Uint8Array',
} as const;

export type ArgumentKind = keyof typeof kinds;

/** The kind of each option; an option with `?` may be undefined. */
export type OptionKinds<T> = { readonly [Name in keyof T]?: ArgumentKind | `${ArgumentKind}?` };

/**
 * Checks the options of a function. Throws `BAD_ARGUMENT` for the first that has another kind.
 *
 * Programs in JavaScript pass what a compiler would refuse, and an empty setting is easily made.
 */
export function checkOptions<T extends object>(
  of: string,
  options: T,
  expected: OptionKinds<T>,
): void {
  checkArgument(`The options of ${of}`, options, 'object');
  for (const name of Object.keys(expected) as (keyof T & string)[]) {
    const kind = expected[name] ?? 'object';
    const value = options[name];
    if (kind.endsWith('?') && value === undefined) continue;
    checkArgument(`The option ${name} of ${of}`, value, kind.replace('?', '') as ArgumentKind);
  }
}

/** Checks one argument. Throws `BAD_ARGUMENT` with its name and its value. */
export function checkArgument(name: string, value: unknown, kind: ArgumentKind): void {
  if (isOf(kind, value)) return;
  throw new AmandaError(
    'BAD_ARGUMENT',
    `${name} must be ${kinds[kind]}, not ${shownValue(value)}.`,
  );
}

/** Checks that an argument has methods. Throws `BAD_ARGUMENT` for the first that is missing. */
export function checkMethods(name: string, value: unknown, ...methods: readonly string[]): void {
  const missing = methods.find(
    (method) =>
      typeof (value as Record<string, unknown> | null | undefined)?.[method] !== 'function',
  );
  if (missing === undefined) return;
  throw new AmandaError(
    'BAD_ARGUMENT',
    `${name} must have the method ${missing}, and is ${shownValue(value)}.`,
  );
}

/** A value of any type in a message: a string in quotes, an object by its kind. */
export function shownValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value === '' ? 'an empty string' : `"${printable(value, 80)}"`;
    case 'function':
      return 'a function';
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
    default:
      return String(value);
  }
}

/** The kind of a value in a message, without its text. */
export function kindOfValue(value: unknown): string {
  return ['string', 'number', 'boolean'].includes(typeof value)
    ? `a ${typeof value}`
    : shownValue(value);
}

function isOf(kind: ArgumentKind, value: unknown): boolean {
  switch (kind) {
    case 'name':
      return typeof value === 'string' && value !== '';
    case 'strings':
      return Array.isArray(value) && value.every((one) => typeof one === 'string');
    case 'list':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null;
    case 'number':
      return typeof value === 'number' && !Number.isNaN(value);
    case 'bytes':
      return ArrayBuffer.isView(value);
    default:
      return typeof value === kind;
  }
}
