import { AmandaError } from '../wire/errors.js';

/** An option that is a whole number. Errors with `BAD_ARGUMENT` when it is out of its range. */
export function inRange(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new AmandaError(
    'BAD_ARGUMENT',
    `${name} is a whole number from ${least} to ${most}, not ${value}.`,
  );
}
