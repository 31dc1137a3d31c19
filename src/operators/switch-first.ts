import { Observable, type OperatorFunction, type Subscriber } from 'rxjs';

/**
 * What the first value leads to: a value, or the Observable of it, whose end is then the end.
 *
 *     source   --a-
 *     at hand  --(A|)      project(a) = A
 *     later    ----A-|     project(a) = --A-|
 *
 * It is `take(1)` and `switchMap` in one, for questions that are mostly answered at once. Completes without a value when the source does. Errors with what
 * `project` throws, and with the errors of both Observables.
 */
export function switchFirst<T, R>(
  project: (value: T) => R | Observable<R>,
): OperatorFunction<T, R> {
  return (source) =>
    new Observable((out) => {
      let isLed = false;
      return source.subscribe({
        next: (value) => {
          if (isLed) return;
          isLed = true;
          try {
            follow(project(value), out);
          } catch (error) {
            out.error(error);
          }
        },
        error: (error: unknown) => {
          if (!isLed) out.error(error);
        },
        complete: () => {
          if (!isLed) out.complete();
        },
      });
    });
}

function follow<R>(led: R | Observable<R>, out: Subscriber<R>): void {
  if (led instanceof Observable) {
    led.subscribe(out);
  } else {
    out.next(led);
    out.complete();
  }
}
