import type { Writable } from 'node:stream';
import { Observable, concat, defer, ignoreElements, of, type OperatorFunction } from 'rxjs';
import { checkMethods } from '../wire/arguments.js';
import { writeTo } from './write-to.js';
import { paced } from './paced.js';

/**
 * Writes the bytes to a Node Writable at its pace, and emits how many have been written so far.
 *
 *     bytes  -a---b---|           a: 3 bytes, b: 2 bytes
 *     out    --3----5---|         completes when the Writable has finished
 *
 * Errors with what the Writable errors with (a full disk, a closed pipe). Unsubscribing destroys
 * it.
 *
 * @example
 * ```ts
 * import { createWriteStream } from 'node:fs';
 * import { bsdtcp, connect, request, toWritable } from 'rx-amanda';
 * import { mergeMap } from 'rxjs';
 *
 * const file = createWriteStream('tables.txt');
 *
 * connect(bsdtcp({ host: 'db1.example.com' }))
 *   .pipe(
 *     request('tables'),
 *     mergeMap(({ streams }) => streams['DATA']?.pipe(toWritable(file)) ?? []),
 *   )
 *   .subscribe((bytes) => console.log(bytes));
 * ```
 */
export function toWritable(writable: Writable): OperatorFunction<Uint8Array, number> {
  checkMethods('The Writable of toWritable', writable, 'write', 'end');
  return (bytes) =>
    new Observable((out) => {
      let written = 0;
      const fail = (error: Error): void => {
        out.error(error);
      };
      writable.on('error', fail);
      const write = (chunk: Uint8Array): Observable<number> =>
        concat(
          writeTo(writable, chunk),
          defer(() => of((written += chunk.length))),
        );
      out.add(
        concat(
          bytes.pipe(paced(write)),
          defer(() => endOf(writable)).pipe(ignoreElements()),
        ).subscribe(out),
      );
      return () => {
        writable.off('error', fail);
        if (!writable.writableFinished) writable.on('error', () => undefined).destroy();
      };
    });
}

function endOf(writable: Writable): Observable<void> {
  return new Observable((done) => {
    writable.end(() => {
      done.complete();
    });
  });
}
