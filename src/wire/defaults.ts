import { AmandaError } from './errors.js';

/** The least and the most that a whole number may be. */
export type Range = readonly [least: number, most: number];

/** The most milliseconds that a timer can wait: a longer one would ring at once. */
export const MOST_MILLISECONDS = 0x7fff_ffff;

/**
 * Options with their defaults; what is undefined counts as not given. Errors with `BAD_ARGUMENT` for a value that is no whole number within
 * its range.
 */
export function withDefaultsIn<T extends object>(
  options: Partial<T>,
  defaults: T,
  ranges: Readonly<Partial<Record<keyof T, Range>>>,
): T {
  const all = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof T & string)[]) {
    const value = options[name];
    if (value === undefined) continue;
    const range = ranges[name];
    if (range !== undefined) requireWithin(name, value, range);
    all[name] = value;
  }
  return all;
}

function requireWithin(name: string, value: unknown, [least, most]: Range): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most)
    return;
  throw new AmandaError(
    'BAD_ARGUMENT',
    `${name} is a whole number from ${least} to ${most}, not ${String(value)}.`,
  );
}
