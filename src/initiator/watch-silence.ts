import { Observable, filter, interval, map } from 'rxjs';
import { AmandaError } from '../wire/errors.js';
import type { Dump } from './sendbackup.js';

/** How often within the time allowed it is looked whether something has come. */
const LOOKS = 10;

/**
 * Errors with `DATA_TIMEOUT` when nothing of a dump has arrived for some time (milliseconds; a tenth more at the most). The time in which
 * bytes wait here for a slow sink does not count.
 */
export function watchSilence({ reply, dle, peer }: Dump, allowed: number): Observable<never> {
  return new Observable((out) => {
    const streams = Object.values(reply.streams);
    let [before, quiet] = [-1, 0];
    return interval(allowed / LOOKS)
      .pipe(
        map(() => {
          const received = streams.reduce((sum, stream) => sum + stream.received, 0);
          const isOurTurn = streams.some(({ held }) => held > 0);
          quiet = received === before && !isOurTurn ? quiet + 1 : 0;
          before = received;
        }),
        filter(() => quiet >= LOOKS),
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
