import { Observable, timer, type MonoTypeOperatorFunction } from 'rxjs';

/**
 * Errors unless the source is over within so many milliseconds of the subscription.
 *
 *     source   -a--b------|
 *     out      -a--b--#        after the time
 */
export function failAfter<T>(
  milliseconds: number | undefined,
  error: () => unknown,
): MonoTypeOperatorFunction<T> {
  if (milliseconds === undefined) return (source) => source;
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
