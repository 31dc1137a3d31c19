import { Duplex, finished, type Writable } from 'node:stream';
import { EMPTY, NEVER, Observable, type ObservableInput } from 'rxjs';
import { checkedInput } from '../operators/checked-input.js';
import { writeTo } from '../operators/write-to.js';
import { shownValue } from '../wire/arguments.js';
import { AmandaError } from '../wire/errors.js';

/**
 * Takes the bytes of a stream: a function, or a Node Writable.
 *
 * The next chunk comes when the function's result completes; its values are ignored. Any other
 * result than an Observable, a Promise or an iterable is an error with `BAD_ARGUMENT`. So a
 * forgotten `return` loses no errors. Return EMPTY for a chunk that is taken already.
 *
 * A Writable gets the next chunk after the callback of its `write`. It is ended before `done`, when
 * the dump is whole, and destroyed otherwise; stdout and stderr are left open.
 */
export type Sink = ((chunk: Uint8Array) => ObservableInput<unknown>) | Writable;

/** A sink of one dump. */
export interface OpenSink {
  /** Whether the memory of a chunk may be written to again when its `take` completes. */
  readonly mayLease: boolean;
  readonly take: (chunk: Uint8Array) => ObservableInput<unknown>;
  /** Errors when the sink breaks; never completes. */
  readonly broken: Observable<never>;
  /** Ends the sink; completes when it has written everything. */
  readonly end: Observable<never>;
  /** Gives up a sink that has not ended. */
  readonly destroy: () => void;
}

/** Opens the sink of a stream. Throws `BAD_ARGUMENT` for anything that is no sink. */
export function openSink(stream: string, sink: Sink): OpenSink {
  if (typeof sink === 'function') {
    const name = `The ${stream} sink of a dump`;
    return {
      mayLease: true,
      take: (chunk) => checkedInput(name, sink(chunk)),
      broken: NEVER,
      end: EMPTY,
      destroy: () => undefined,
    };
  }
  if (isWritable(sink)) return writableSink(sink);
  throw new AmandaError(
    'BAD_ARGUMENT',
    `The ${stream} sink of a dump must be a function or a Writable, not ${shownValue(sink)}.`,
  );
}

function isWritable(sink: unknown): sink is Writable {
  const { write, end, on } = (sink ?? {}) as Partial<Writable>;
  return [write, end, on].every((method) => typeof method === 'function');
}

function writableSink(writable: Writable): OpenSink {
  // These stay open for the rest of the program, as Node's own pipes leave them.
  // eslint-disable-next-line no-restricted-syntax -- compared, never written to
  const isShared = writable === process.stdout || writable === process.stderr;
  return {
    // A Duplex may pass a chunk on that it has taken.
    mayLease: !(writable instanceof Duplex),
    take: (chunk) => writeTo(writable, chunk),
    broken: new Observable((out) =>
      finished(writable, { readable: false }, (error) => {
        if (error) out.error(error);
      }),
    ),
    end: isShared
      ? EMPTY
      : new Observable((out) => {
          const stop = finished(writable, { readable: false }, (error) => {
            if (error) out.error(error);
            else out.complete();
          });
          writable.end();
          return stop;
        }),
    destroy: () => {
      // An error after this has no receiver any more.
      if (!isShared && !writable.writableFinished) writable.on('error', () => undefined).destroy();
    },
  };
}
