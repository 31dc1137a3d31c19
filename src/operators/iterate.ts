import { Observable, from } from 'rxjs';
import type { Pullable } from './pull.js';

/**
 * Iterates over something that can be pulled; a chunk is paid back when the next one is asked for.
 *
 *     source  -a-b-c-|      a waits until the loop asks, and so on
 *     loop    -a---b---c|
 *
 * Leaving the loop cancels the reading. Throws what the source errors with, and `ALREADY_READ` when
 * it has a reader.
 */
export async function* iterate<T>(source: Pullable<T>): AsyncGenerator<T, void, undefined> {
  let wake: () => void = () => undefined;
  const pull = source.pull(() => {
    wake();
  });
  try {
    for (;;) {
      const chunk = pull.take();
      if (chunk !== undefined) {
        yield chunk;
        pull.release(chunk);
      } else if (pull.end !== undefined) {
        if (pull.end.error !== undefined) throw pull.end.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    pull.cancel();
  }
}

/** A pullable source as an Observable that can still be pulled. */
export function pulled<T>(source: Pullable<T>): Observable<T> & Pullable<T> {
  const pushing = new Observable<T>((out) => from(iterate(source)).subscribe(out));
  return Object.assign(pushing, {
    pull: (wake: () => void, lease?: boolean) => source.pull(wake, lease),
  });
}
