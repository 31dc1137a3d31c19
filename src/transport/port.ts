import { inRange } from '../wire/ranges.js';

/** Throws `BAD_ARGUMENT` for a number that is no port. */
export function checkPort(port: number): void {
  inRange('A port', port, 1, 65_535);
}
