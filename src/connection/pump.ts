import { Readable } from 'node:stream';
import { Observable, filter, firstValueFrom, from, isObservable, type ObservableInput } from 'rxjs';
import { isInput } from '../operators/checked-input.js';
import { isPullable, type Pullable, type PullEnd } from '../operators/pull.js';
import { kindOfValue } from '../wire/arguments.js';
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
 * Errors with what the source errors with, and with `BAD_ARGUMENT` for a value that is no bytes.
 * The stream is left open then, because a close would pass for completeness. Throws `BAD_ARGUMENT`
 * for anything but a source. Unsubscribing stops the source. The loss of the stream with its
 * connection stops it too, without an end here, because readers of the stream get that error.
 */
export function pump(source: StreamSource, stream: PumpTarget): Observable<never> {
  checkSource(source);
  if (source instanceof Readable) return pumpReadable(source, stream);
  if (isPullable<Uint8Array>(source)) return pumpPullable(source, stream);
  if (!isObservable(source) && Symbol.asyncIterator in source) return pumpIterable(source, stream);
  return new Observable((out) =>
    from(source).subscribe({
      next: (bytes) => {
        if (isBytes(bytes)) stream.next(bytes);
        else out.error(noBytes(bytes));
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

/** Bytes are iterable too, and not meant: their values are numbers. */
function checkSource(source: unknown): void {
  if (source instanceof Readable) return;
  if (typeof source === 'object' && source !== null && isPullable(source)) return;
  if (isInput(source) && !ArrayBuffer.isView(source)) return;
  const given = ArrayBuffer.isView(source) ? 'bytes; put them in a list' : kindOfValue(source);
  throw new AmandaError(
    'BAD_ARGUMENT',
    `The source of a stream must be an Observable, a Promise, an iterable or a Readable, not ${given}.`,
  );
}

function isBytes(chunk: unknown): chunk is Uint8Array {
  return ArrayBuffer.isView(chunk);
}

function noBytes(chunk: unknown): AmandaError {
  return new AmandaError(
    'BAD_ARGUMENT',
    `A stream sends bytes (a Uint8Array), not ${kindOfValue(chunk)}.`,
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
    const send = (chunk: unknown): void => {
      if (!isBytes(chunk)) {
        out.error(noBytes(chunk));
        return;
      }
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
        if (!isBytes(item.value)) throw noBytes(item.value);
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
