import { Observable, timer, type MonoTypeOperatorFunction } from 'rxjs';
import { MOST_MILLISECONDS, inRange } from '../wire/ranges.js';

/**
 * Errors unless the source is over within so many milliseconds of the subscription.
 *
 *     source   -a--b------|
 *     out      -a--b--#        after the time
 *
 * Throws `BAD_ARGUMENT` for a time over a timer's longest.
 */
export function failAfter<T>(
  milliseconds: number | undefined,
  error: () => unknown,
): MonoTypeOperatorFunction<T> {
  if (milliseconds === undefined) return (source) => source;
  inRange('deadline', milliseconds, 0, MOST_MILLISECONDS);
  return (source) =>
    new Observable((out) => {
      out.add(
        timer(milliseconds).subscribe(() => {
          out.error(error());
        }),
      );
      return source.subscribe(out);
    });
}
