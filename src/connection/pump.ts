import { Readable } from 'node:stream';
import { Observable, filter, firstValueFrom, from, isObservable, type ObservableInput } from 'rxjs';
import { isPullable, type Pullable, type PullEnd } from '../operators/pull.js';
import { AmandaError } from '../wire/errors.js';
import type { Stream } from './stream.js';

/**
 * What a stream sends. Async iterables, Readables and Streams are pulled as fast as the peer takes
 * the bytes. A plain Observable cannot be slowed: its waiting bytes count against the send budget.
 */
export type StreamSource = ObservableInput<Uint8Array> | Readable;

/** What a source is pumped into. */
export type PumpTarget = Pick<Stream, 'next' | 'complete' | 'isLost' | 'isReady' | 'ready'>;

/**
 * Sends all that a source yields and then closes the stream's sending direction.
 *
 *     source  -a-b-c-|
 *     stream  -a-b---c-|      c waits until the channel can take it
 *     out     ---------|
 *
 * Errors with what the source errors with; the stream is left open then, since a close would pass
 * for completeness. Unsubscribing stops the source. So does the loss of the stream with its
 * connection, which is told there: this then neither completes nor errors.
 */
export function pump(source: StreamSource, stream: PumpTarget): Observable<never> {
  if (source instanceof Readable) return pumpReadable(source, stream);
  if (isPullable<Uint8Array>(source)) return pumpPullable(source, stream);
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

function pumpReadable(source: Readable, stream: PumpTarget): Observable<never> {
  return new Observable((out) => {
    const finish = (): void => {
      stream.complete();
      out.complete();
    };
    const cutOff = (): void => {
      if (source.readableEnded) finish();
      else
        out.error(
          source.errored ??
            new AmandaError(
              'CONNECTION_CLOSED',
              'The Readable to be sent was destroyed before its end.',
            ),
        );
    };
    if (source.destroyed || source.readableEnded) {
      cutOff();
      return undefined;
    }
    const send = (chunk: Uint8Array): void => {
      stream.next(chunk);
      if (stream.isLost) source.off('close', cutOff).destroy();
      else if (!stream.isReady) source.pause();
    };
    source.on('error', cutOff).once('close', cutOff).once('end', finish).on('data', send);
    out.add(
      stream.ready.pipe(filter((ready) => ready && source.isPaused())).subscribe(() => {
        source.resume();
      }),
    );
    return () => {
      source.off('close', cutOff).off('end', finish).off('data', send).destroy();
    };
  });
}

function pumpPullable(source: Pullable<Uint8Array>, stream: PumpTarget): Observable<never> {
  return new Observable((out) => {
    const send = (): void => {
      while (stream.isReady && !out.closed) {
        const chunk = pull.take();
        if (chunk === undefined) {
          if (pull.end !== undefined) finish(pull.end);
          return;
        }
        // The connection holds the chunk's memory until it is sent.
        stream.next(chunk);
        pull.release(chunk);
      }
    };
    const finish = (end: PullEnd): void => {
      if (end.error !== undefined) {
        out.error(end.error);
        return;
      }
      stream.complete();
      out.complete();
    };
    const pull = source.pull(send, true);
    out.add(() => {
      pull.cancel();
    });
    return stream.ready.subscribe(send);
  });
}

function pumpIterable(source: AsyncIterable<Uint8Array>, stream: PumpTarget): Observable<never> {
  return new Observable((out) => {
    const iterator = source[Symbol.asyncIterator]();
    const send = async (): Promise<void> => {
      for (
        let item = await iterator.next();
        item.done !== true && !out.closed;
        item = await iterator.next()
      ) {
        stream.next(item.value);
        if (stream.isLost) {
          await iterator.return?.();
          return;
        }
        if (!stream.isReady)
          await firstValueFrom(stream.ready.pipe(filter(Boolean)), { defaultValue: true });
      }
      if (out.closed) return;
      stream.complete();
      out.complete();
    };
    send().catch((error: unknown) => {
      out.error(error);
    });
    return () => {
      // A waiting generator ends after its wait; an error of it has no receiver any more.
      iterator.return?.().catch(() => undefined);
    };
  });
}
