import { AmandaError } from '../wire/errors.js';

/** Throws `BAD_ARGUMENT` for a number that is no port. */
export function checkPort(port: number): void {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new AmandaError('BAD_ARGUMENT', `A port is a whole number from 1 to 65535, not ${port}.`);
}
