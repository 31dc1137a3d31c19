import { Observable, type OperatorFunction, type Subscriber } from 'rxjs';

/**
 * Projects the first value to a value, or to an Observable whose end is then the end.
 *
 *     source   --a-
 *     value    --(A|)      project(a) = A
 *     later    ----A-|     project(a) = --A-|
 *
 * `take(1)` and `switchMap` in one, without an inner Observable for plain values. Completes without
 * a value when the source does. Errors with what `project` throws, and with the errors of both
 * sources.
 */
export function switchFirst<T, R>(
  project: (value: T) => R | Observable<R>,
): OperatorFunction<T, R> {
  return (source) =>
    new Observable((out) => {
      let isProjected = false;
      return source.subscribe({
        next: (value) => {
          if (isProjected) return;
          isProjected = true;
          try {
            follow(project(value), out);
          } catch (error) {
            out.error(error);
          }
        },
        error: (error: unknown) => {
          if (!isProjected) out.error(error);
        },
        complete: () => {
          if (!isProjected) out.complete();
        },
      });
    });
}

function follow<R>(projected: R | Observable<R>, out: Subscriber<R>): void {
  if (projected instanceof Observable) {
    projected.subscribe(out);
  } else {
    out.next(projected);
    out.complete();
  }
}
