import { Readable } from 'node:stream';
import { createGzip, type Gzip } from 'node:zlib';
import { from, map, type ObservableInput } from 'rxjs';
import type { StreamSource } from '../../connection/pump.js';
import { iterate } from '../../operators/iterate.js';
import { isPullable } from '../../operators/pull.js';
import { toReadable } from '../../operators/to-readable.js';
import { kindOfValue } from '../../wire/arguments.js';
import { AmandaError } from '../../wire/errors.js';
import { LazyTimer } from '../lazy-timer.js';

export interface ReadingLimits {
  /** Milliseconds that the source may take for its next bytes. */
  readonly timeout: number;
  /** The error of a source that takes longer. */
  readonly late: () => Error;
  /** Ends the reading at once, with the reason of the signal. */
  readonly signal: AbortSignal;
}

/**
 * Reads an image as it is pulled. Leaving the loop ends the source. An Observable cannot be slowed:
 * what it emits meanwhile is kept.
 */
export async function* imageBytes(
  source: StreamSource,
  { timeout, late, signal }: ReadingLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  const steps = iteratorOf(source);
  let fail: (error: Error) => void = () => undefined;
  const timer = new LazyTimer(() => {
    fail(late());
  });
  const left = (): void => {
    fail(signal.reason as Error);
  };
  signal.addEventListener('abort', left);
  try {
    for (;;) {
      timer.set(timeout);
      const step = await new Promise<IteratorResult<unknown>>((resolve, reject) => {
        fail = reject;
        Promise.resolve(steps.next()).then(resolve, reject);
      });
      timer.clear();
      if (step.done === true) return;
      yield bytesOnly(step.value);
    }
  } finally {
    timer.stop();
    signal.removeEventListener('abort', left);
    // Not awaited: a source that hangs never returns.
    Promise.resolve(steps.return?.()).catch(() => undefined);
  }
}

type Steps = Iterator<unknown> | AsyncIterator<unknown>;

function iteratorOf(source: StreamSource): Steps {
  if (source instanceof Readable) return stepsOf(source);
  if (isPullable<Uint8Array>(source)) return iterate(source);
  if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
  if (Symbol.iterator in source) return source[Symbol.iterator]();
  return stepsOf(toReadable(from(source as ObservableInput<unknown>).pipe(map(bytesOnly))));
}

/** Its own iterator does not end while it waits for bytes. */
function stepsOf(readable: Readable): Steps {
  const steps = readable[Symbol.asyncIterator]();
  return {
    next: () => steps.next(),
    return: () => {
      readable.destroy();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
}

function bytesOnly(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new AmandaError('BAD_ARGUMENT', `The image gave ${kindOfValue(value)} instead of bytes.`);
}

/** Compresses at the pace of its reader. `level` is that of zlib, 1 … 9. */
export async function* gzipped(
  source: AsyncIterable<Uint8Array>,
  level: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const gzip = createGzip({ level });
  const feeding = feed(source, gzip);
  try {
    for await (const bytes of gzip) yield bytes as Uint8Array;
  } finally {
    gzip.destroy();
    await feeding;
  }
}

async function feed(source: AsyncIterable<Uint8Array>, gzip: Gzip): Promise<void> {
  try {
    for await (const bytes of source) {
      if (gzip.destroyed) return;
      if (!gzip.write(bytes))
        await new Promise<void>((resolve) => {
          gzip.once('drain', resolve).once('close', resolve);
        });
    }
    gzip.end();
  } catch (error) {
    gzip.destroy(error as Error);
  }
}
