import {
  EMPTY,
  NEVER,
  Observable,
  concat,
  concatWith,
  defer,
  filter,
  forkJoin,
  ignoreElements,
  merge,
  race,
  take,
  takeUntil,
} from 'rxjs';
import { pump, type PumpTarget } from '../connection/pump.js';
import type { Ends, Stream } from '../connection/stream.js';
import type { StreamHandler } from './service.js';

/** A stream of a reply and what the service does with it. */
export interface RunningStream {
  readonly name: string;
  readonly stream: Stream;
  readonly handler: StreamHandler;
  /** Sees what the service sends on it. Absent when nothing does. */
  readonly observer?: SentObserver;
}

/** Sees what a service sends on one stream, and that it has sent all. */
export type SentObserver = Pick<PumpTarget, 'next' | 'complete'>;

/**
 * Lets a service send on its streams, and completes when the request is over. It is over when every
 * stream is closed in our direction, and in the other direction too or `serviceOver` has emitted.
 * So an initiator that closes nothing does not keep the request of an ended service alive.
 *
 *     sending      -a--b-c|
 *     receiving    ---------|
 *     serviceOver  -------------
 *     out          ---------|
 *
 * With `taken`, it completes after that one. Errors with what a source errors with. When a
 * direction is lost with the connection, the request is lost too, and this never completes.
 * Source: PROTOCOL.md, "Streams".
 */
export function runStreams(
  streams: readonly RunningStream[],
  serviceOver: Observable<unknown>,
  taken: Observable<never> = EMPTY,
): Observable<never> {
  return defer(() => {
    const ends = streams.map(({ stream }) => stream.ends);
    const sent = forkJoin(ends.map((end) => end.pipe(once(({ sending }) => sending === 'closed'))));
    const received = forkJoin(
      ends.map((end) =>
        end.pipe(once(({ receiving }) => receiving === 'closed' || receiving === 'dropped')),
      ),
    );
    const over = forkJoin([sent, race(received, serviceOver)]);
    const sending = merge(...streams.map(send)).pipe(takeUntil(over));
    return concat(merge(over.pipe(ignoreElements()), sending), taken);
  });
}

function send({ stream, handler, observer }: RunningStream): Observable<never> {
  return defer(() =>
    pump(handler(stream), observer === undefined ? stream : observed(stream, observer)),
  );
}

function observed(stream: Stream, observer: SentObserver): PumpTarget {
  return {
    get isLost() {
      return stream.isLost;
    },
    get isReady() {
      return stream.isReady;
    },
    ready: stream.ready,
    next: (bytes) => {
      observer.next(bytes);
      stream.next(bytes);
    },
    complete: () => {
      observer.complete();
      stream.complete();
    },
  };
}

/** Emits once. Never completes empty: the ends of a lost stream complete without closing. */
function once(condition: (ends: Ends) => boolean): (ends: Observable<Ends>) => Observable<Ends> {
  return (ends) => ends.pipe(filter(condition), concatWith(NEVER), take(1));
}
