import {
  Observable,
  concatMap,
  defer,
  type ObservableInput,
  type OperatorFunction,
  type Subscriber,
  type Subscription,
} from 'rxjs';
import { checkArgument } from '../wire/arguments.js';
import { checkedInput } from './checked-input.js';
import { isPullable, type Pull, type Pullable } from './pull.js';

/** Options of {@link paced}. */
export interface PacedOptions {
  /**
   * Whether the memory of a chunk may be written to again once the work on it is complete. For work
   * that keeps no chunk and no part of one, such as writing to a file; it costs less. Default
   * false. It has no effect on a source that cannot be pulled.
   */
  readonly lease?: boolean;
}

/**
 * Works on chunks one after another, and takes the next only when the work on the last is complete.
 *
 *     source  -a-b-c---------|
 *     work      (1s each)
 *     out     --------A-----B-----C|      b and c wait at the source
 *
 * A source that can be pulled (a Stream) keeps what waits, and slows its sender. Any other source
 * cannot be slowed: what it emits meanwhile waits here, as in `concatMap`.
 *
 * @example
 * ```ts
 * import { open } from 'node:fs/promises';
 * import { bsdtcp, connect, paced, request } from 'rx-amanda';
 * import { mergeMap } from 'rxjs';
 *
 * const file = await open('tables.txt', 'w');
 *
 * connect(bsdtcp({ host: 'db1.example.com' }))
 *   .pipe(
 *     request('tables'),
 *     mergeMap(({ streams }) => streams['DATA']?.pipe(paced((chunk) => file.write(chunk))) ?? []),
 *   )
 *   .subscribe(({ bytesWritten }) => console.log(bytesWritten));
 * ```
 */
export function paced<T, R>(
  work: (chunk: T) => ObservableInput<R>,
  { lease = false }: PacedOptions = {},
): OperatorFunction<T, R> {
  checkArgument('The work of paced', work, 'function');
  return (source) =>
    isPullable<T>(source)
      ? new Observable((out) => new PacedReading(source, work, lease, out).stop)
      : source.pipe(concatMap((chunk) => workOn(work, chunk)));
}

function workOn<T, R>(work: (chunk: T) => ObservableInput<R>, chunk: T): ObservableInput<R> {
  return checkedInput('The work of paced', work(chunk));
}

class PacedReading<T, R> {
  readonly #pull: Pull<T>;
  readonly #work: (chunk: T) => ObservableInput<R>;
  readonly #out: Subscriber<R>;
  #running: Subscription | undefined;
  #isRunning = false;
  #isStepping = false;

  constructor(
    source: Pullable<T>,
    work: (chunk: T) => ObservableInput<R>,
    lease: boolean,
    out: Subscriber<R>,
  ) {
    this.#work = work;
    this.#out = out;
    this.#pull = source.pull(() => {
      this.#step();
    }, lease);
    this.#step();
  }

  readonly stop = (): void => {
    this.#running?.unsubscribe();
    this.#pull.cancel();
  };

  /**
   * Goes on as long as work completes at once; a loop, so that a long queue needs no deep stack.
   */
  #step(): void {
    if (this.#isStepping) return;
    this.#isStepping = true;
    while (!this.#isRunning && !this.#out.closed) {
      const chunk = this.#pull.take();
      if (chunk === undefined) {
        this.#finish();
        break;
      }
      this.#begin(chunk);
    }
    this.#isStepping = false;
  }

  #begin(chunk: T): void {
    this.#isRunning = true;
    this.#running = defer(() => workOn(this.#work, chunk)).subscribe({
      next: (result) => {
        this.#out.next(result);
      },
      error: (error: unknown) => {
        this.#out.error(error);
      },
      complete: () => {
        this.#isRunning = false;
        this.#pull.release(chunk);
        this.#step();
      },
    });
  }

  #finish(): void {
    const end = this.#pull.end;
    if (end === undefined) return;
    if (end.error === undefined) this.#out.complete();
    else this.#out.error(end.error);
  }
}
