import { shownValue } from './arguments.js';
import { AmandaError, type AmandaErrorCode } from './errors.js';

/** The least and the greatest value of a whole number. */
export type Range = readonly [least: number, most: number];

/** The longest time that a timer can wait; a longer one would fire at once. */
export const MOST_MILLISECONDS = 0x7fff_ffff;

/** A whole number within its range; any other value is an error, `BAD_ARGUMENT` by default. */
export function inRange(
  name: string,
  value: number,
  least: number,
  most: number,
  code: AmandaErrorCode = 'BAD_ARGUMENT',
): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new AmandaError(
    code,
    `${name} must be a whole number from ${least} to ${most}, not ${shownValue(value)}.`,
  );
}

/** Options with their defaults; undefined means the default. Errors as {@link inRange} does. */
export function withDefaultsIn<T extends object>(
  options: Partial<T>,
  defaults: T,
  ranges: Readonly<Partial<Record<keyof T, Range>>>,
): T {
  const all = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof T & string)[]) {
    const value = options[name];
    if (value === undefined) continue;
    const range: Range | undefined = ranges[name];
    if (range !== undefined) inRange(`The option ${name}`, value as number, ...range);
    all[name] = value;
  }
  return all;
}

/** A copy without undefined members, which prints and compares as what it says. */
export function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as T;
}
