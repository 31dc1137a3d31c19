import {
  NEVER,
  Observable,
  connect,
  mergeMap,
  scan,
  startWith,
  switchMap,
  takeUntil,
  timer,
  type MonoTypeOperatorFunction,
} from 'rxjs';

/** Emits `close` once. */
interface Closing {
  once(event: 'close', listener: () => void): unknown;
}

/** Completes when no socket has been open for so many milliseconds. */
export function untilUnused<T extends Closing>(milliseconds: number): MonoTypeOperatorFunction<T> {
  return connect((sockets) => {
    const open = sockets.pipe(
      mergeMap(openAndClosed),
      scan((sum, change) => sum + change, 0),
      startWith(0),
    );
    return sockets.pipe(
      takeUntil(open.pipe(switchMap((number) => (number === 0 ? timer(milliseconds) : NEVER)))),
    );
  });
}

function openAndClosed(socket: Closing): Observable<1 | -1> {
  return new Observable((out) => {
    out.next(1);
    socket.once('close', () => {
      out.next(-1);
      out.complete();
    });
  });
}
