import type { Writable } from 'node:stream';
import { Observable } from 'rxjs';

/** Writes one chunk to a Writable; completes when that is done with the chunk. */
export function writeTo(writable: Writable, chunk: Uint8Array): Observable<never> {
  return new Observable((done) => {
    writable.write(chunk, (error) => {
      if (error) done.error(error);
      else done.complete();
    });
  });
}
