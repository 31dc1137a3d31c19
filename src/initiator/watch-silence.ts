import { Observable, filter, interval, map } from 'rxjs';
import type { Stream } from '../connection/stream.js';
import { AmandaError } from '../wire/errors.js';

/** How often the streams are checked within the allowed time. */
const CHECKS = 10;

/** What is watched, and how a sentence names it. */
export interface SilenceWatch {
  readonly streams: readonly Stream[];
  /** Milliseconds for which nothing may arrive. */
  readonly allowed: number;
  /** `the dump of /home` */
  readonly what: string;
  readonly peer: string;
  /** Whether the peer waits for this side now. Default: never. */
  readonly isWaiting?: () => boolean;
}

/**
 * Errors with `DATA_TIMEOUT` when nothing arrives for so many milliseconds, or up to a tenth more.
 * Time in which bytes wait for a slow sink, or the peer for this side, does not count.
 */
export function watchSilence({
  streams,
  allowed,
  what,
  peer,
  isWaiting = () => false,
}: SilenceWatch): Observable<never> {
  return new Observable((out) => {
    let [before, silent] = [-1, 0];
    return interval(allowed / CHECKS)
      .pipe(
        map(() => {
          const received = streams.reduce((sum, stream) => sum + stream.received, 0);
          const isSlowHere = isWaiting() || streams.some(({ held }) => held > 0);
          silent = received === before && !isSlowHere ? silent + 1 : 0;
          before = received;
        }),
        filter(() => silent >= CHECKS),
        map(() => {
          throw new AmandaError(
            'DATA_TIMEOUT',
            `Nothing of ${what} came from ${peer} for ${allowed / 1000} s; is it still at work?`,
            { peer },
          );
        }),
      )
      .subscribe(out);
  });
}
