import { Observable, from } from 'rxjs';
import { iterate } from './iterate.js';
import type { Pullable } from './pull.js';

/** Something that can be pulled, as an Observable that still can: who knows of pulling does that, anybody else subscribes. */
export function pulled<T>(source: Pullable<T>): Observable<T> & Pullable<T> {
  const pushing = new Observable<T>((out) => from(iterate(source)).subscribe(out));
  return Object.assign(pushing, {
    pull: (wake: () => void, lease?: boolean) => source.pull(wake, lease),
  });
}
