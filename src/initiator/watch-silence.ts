import { Observable, filter, interval, map } from 'rxjs';
import { AmandaError } from '../wire/errors.js';
import type { Dump } from './sendbackup.js';

/** How often the streams are checked within the allowed time. */
const CHECKS = 10;

/**
 * Errors with `DATA_TIMEOUT` when nothing of a dump arrives for so many milliseconds, or up to a
 * tenth more. Time in which bytes wait for a slow sink does not count.
 */
export function watchSilence({ reply, dle, peer }: Dump, allowed: number): Observable<never> {
  return new Observable((out) => {
    const streams = Object.values(reply.streams);
    let [before, silent] = [-1, 0];
    return interval(allowed / CHECKS)
      .pipe(
        map(() => {
          const received = streams.reduce((sum, stream) => sum + stream.received, 0);
          const isSinkSlow = streams.some(({ held }) => held > 0);
          silent = received === before && !isSinkSlow ? silent + 1 : 0;
          before = received;
        }),
        filter(() => silent >= CHECKS),
        map(() => {
          throw new AmandaError(
            'DATA_TIMEOUT',
            `Nothing of the dump of ${dle.disk} came from ${peer} for ${allowed / 1000} s; is the target still at work?`,
            {
              peer,
            },
          );
        }),
      )
      .subscribe(out);
  });
}
