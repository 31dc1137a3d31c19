import { Readable } from 'node:stream';
import { Observable, filter, firstValueFrom, from, ignoreElements, isObservable, type ObservableInput } from 'rxjs';
import { iterate } from '../operators/iterate.js';
import { isPullable } from '../operators/pull.js';
import type { Stream } from './stream.js';

/**
 * What a stream sends. Async iterables, Readables and Streams are pulled as fast as the peer takes the
 * bytes; a plain Observable cannot be slowed, and what waits of it counts against the send budget.
 */
export type StreamSource = ObservableInput<Uint8Array> | Readable;

/**
 * Sends all that a source yields and then closes the stream's sending direction.
 *
 *     source  -a-b-c-|
 *     stream  -a-b---c-|      c waits until the channel can take it
 *     out     ---------|
 *
 * Errors with what the source errors with; the stream is left open then, since a close would pass
 * for completeness. Unsubscribing stops the source.
 */
export function pump(source: StreamSource, stream: Stream): Observable<never> {
  if (source instanceof Readable) return pumpReadable(source, stream);
  if (isPullable<Uint8Array>(source)) return pumpIterable(iterate(source), stream);
  if (!isObservable(source) && Symbol.asyncIterator in source) return pumpIterable(source, stream);
  return new Observable((out) =>
    from(source).subscribe({
      next: (bytes) => {
        stream.next(bytes);
      },
      error: (error: unknown) => {
        out.error(error);
      },
      complete: () => {
        stream.complete();
        out.complete();
      },
    }),
  );
}

function pumpReadable(source: Readable, stream: Stream): Observable<never> {
  return new Observable((out) => {
    const fail = (error: Error): void => {
      out.error(error);
    };
    const finish = (): void => {
      stream.complete();
      out.complete();
    };
    source.on('data', (chunk: Uint8Array) => {
      stream.next(chunk);
      if (!stream.isReady) source.pause();
    });
    source.once('end', finish).once('error', fail);
    out.add(
      stream.ready.pipe(filter((ready) => ready && source.isPaused())).subscribe(() => {
        source.resume();
      }),
    );
    return () => {
      source.off('end', finish).off('error', fail);
      source.on('error', () => undefined).destroy();
    };
  });
}

function pumpIterable(source: AsyncIterable<Uint8Array>, stream: Stream): Observable<never> {
  return new Observable<never>((out) => {
    const send = async (): Promise<void> => {
      for await (const bytes of source) {
        if (out.closed) return;
        stream.next(bytes);
        if (!stream.isReady) await firstValueFrom(stream.ready.pipe(filter(Boolean)), { defaultValue: true });
        if (out.closed) return;
      }
      stream.complete();
    };
    return from(send()).pipe(ignoreElements()).subscribe(out);
  });
}
