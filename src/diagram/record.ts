import {
  Observable,
  Subscription,
  asyncScheduler,
  defer,
  interval,
  map,
  reduce,
  type MonoTypeOperatorFunction,
  type Observer,
  type OperatorFunction,
} from 'rxjs';
import type { Connection } from '../connection/connection.js';
import type { Flow } from '../connection/receive-budget.js';
import { checkMethods } from '../wire/arguments.js';
import { isAmandaError } from '../wire/errors.js';
import type { Role } from '../wire/role.js';
import { messageOf } from '../wire/text.js';
import { Conversation, type ConversationError, type ConversationOptions } from './conversation.js';
import type { Change, Diagram } from './model.js';
import { Recording, type RecordingOptions } from './recording.js';

/** Options of {@link record} and {@link recordConnection}. */
export interface RecordOptions extends Pick<
  ConversationOptions,
  'preview' | 'viewpoint' | 'under' | 'maxLanes'
> {
  /** The connection's lane; default `connection`. Further ones are `connection 2`, and so on. */
  readonly name?: string | undefined;
  /**
   * Whether chunks of a stream in the same millisecond become one event with a count. If more than
   * 16 come in one millisecond, those of 10 ms do. They are emitted within 10 ms. Default true.
   */
  readonly joins?: boolean | undefined;
  /** The time in milliseconds; default that of RxJS, which is virtual in a TestScheduler. */
  readonly now?: (() => number) | undefined;
}

/** Takes the steps of a diagram; a {@link Recording} is one. */
export type ChangeObserver = Pick<Observer<Change>, 'next'> &
  Partial<Pick<Observer<Change>, 'complete'>>;

/**
 * Passes connections on, and emits what happens on them as the steps of a diagram.
 *
 *     connections  --C---------------
 *     changes      --l-lpspspsl-ccc--      l: a lane begins, p: a packet, s: a span, c: a chunk
 *
 * Times are milliseconds since the subscription. Of each payload the first bytes are kept
 * (`preview`, default 16). A broken connection is an event of the diagram; `observer` completes
 * when the recording ends. For a target's connections `viewpoint` is `target`. Errors with
 * `BAD_ARGUMENT` for an option out of range.
 *
 * @example
 * ```ts
 * import { bsdtcp, connect, noop } from 'rx-amanda';
 * import { Recording, record, toText } from 'rx-amanda/diagram';
 *
 * const recording = new Recording({ title: 'noop of db1' });
 *
 * connect(bsdtcp({ host: 'db1.example.com' }))
 *   .pipe(record(recording), noop())
 *   .subscribe({ complete: () => console.log(toText(recording.diagram())) });
 * ```
 */
export function record(
  observer: ChangeObserver | ((change: Change) => void),
  options: RecordOptions = {},
): MonoTypeOperatorFunction<Connection> {
  if (typeof observer !== 'function') checkMethods('The observer of record', observer, 'next');
  const { name = 'connection', now = rxjsTime } = options;
  const observing: ChangeObserver = typeof observer === 'function' ? { next: observer } : observer;
  return (connections) =>
    new Observable((out) => {
      const at = clockOf(now);
      const recordings = new Subscription();
      const begin = (connection: Connection, numbered: string): void => {
        const changes = watch(connection, { ...options, name: numbered }, at);
        recordings.add(
          changes.subscribe({
            next: (change) => observing.next(change),
            error: (error: unknown) => out.error(error),
          }),
        );
      };
      let count = 0;
      const source = connections.subscribe({
        next: (connection) => {
          count += 1;
          begin(connection, count === 1 ? name : `${name} ${count}`);
          out.next(connection);
        },
        error: (error: unknown) => out.error(error),
        complete: () => {
          out.complete();
        },
      });
      return () => {
        // In this order: the end of the connection belongs to the recording.
        source.unsubscribe();
        recordings.unsubscribe();
        observing.complete?.();
      };
    });
}

/**
 * Emits what happens on one connection as the steps of a diagram. Completes with the connection; if
 * that breaks, the error is the last event. See {@link record}.
 *
 *     connection  -------------|
 *     changes     l-lpspspsl-cc|      l: a lane begins, p: a packet, s: a span, c: a chunk
 *
 * @example
 * ```ts
 * import { bsdtcp, connect, noop, onConnection } from 'rx-amanda';
 * import { recordConnection } from 'rx-amanda/diagram';
 * import { ignoreElements, merge, of } from 'rxjs';
 *
 * connect(bsdtcp({ host: 'db1.example.com' }))
 *   .pipe(
 *     onConnection((connection) =>
 *       merge(recordConnection(connection), of(connection).pipe(noop(), ignoreElements())),
 *     ),
 *   )
 *   .subscribe((change) => console.log(change));
 * ```
 */
export function recordConnection(
  connection: Connection,
  options: RecordOptions = {},
): Observable<Change> {
  return defer(() => watch(connection, options, clockOf(options.now ?? rxjsTime)));
}

/**
 * Collects the steps of a diagram, and emits it when they complete.
 *
 *     changes  -l-lps-c-|
 *     out      ---------(D|)        D: the Diagram
 *
 * Errors with `BAD_ARGUMENT` for an option out of range.
 *
 * @example
 * ```ts
 * import { record, toDiagram, toSvg, type Change } from 'rx-amanda/diagram';
 * import { bsdtcp, connect, noop } from 'rx-amanda';
 * import { Subject } from 'rxjs';
 *
 * const changes = new Subject<Change>();
 * changes.pipe(toDiagram()).subscribe((diagram) => console.log(toSvg(diagram)));
 *
 * connect(bsdtcp({ host: 'db1.example.com' }))
 *   .pipe(record(changes), noop())
 *   .subscribe();
 * ```
 */
export function toDiagram(options: RecordingOptions = {}): OperatorFunction<Change, Diagram> {
  return (changes) =>
    defer(() =>
      changes.pipe(
        reduce((recording, change) => {
          recording.next(change);
          return recording;
        }, new Recording(options)),
        map((recording) => recording.diagram()),
      ),
    );
}

function watch(
  connection: Connection,
  options: RecordOptions,
  at: () => number,
): Observable<Change> {
  return new Observable((changes) => {
    const own = options.viewpoint ?? 'initiator';
    const peer = own === 'initiator' ? 'target' : 'initiator';
    const change = (one: Change): void => {
      changes.next(one);
    };
    const { name = 'connection', joins = true } = options;
    const conversation = new Conversation({ ...options, name, joins, change });
    conversation.begin(at());
    // One timer while frames come: one for each chunk would cost more than the recording.
    let flushing: Subscription | undefined;
    let isFresh = false;
    const frame = (sender: Role, handle: number, payload: Uint8Array): void => {
      conversation.frame(at(), sender, handle, payload);
      isFresh = true;
      if (flushing !== undefined || !joins) return;
      flushing = interval(FLUSH_EVERY).subscribe(() => {
        conversation.flush();
        if (!isFresh) {
          flushing?.unsubscribe();
          flushing = undefined;
        }
        isFresh = false;
      });
    };
    changes.add(() => flushing?.unsubscribe());
    const end = (error?: unknown): void => {
      conversation.end(
        at(),
        undefined,
        error === undefined ? undefined : asConversationError(error),
      );
      changes.complete();
    };
    changes.add(
      connection.observe((direction, handle, payload) => {
        frame(direction === 'sent' ? own : peer, handle, payload);
      }),
    );
    changes.add(
      connection.flow.subscribe((flow) => {
        conversation.flow(at(), { paused: flow.paused, stalled: stallInWords(flow) });
      }),
    );
    changes.add(connection.ended.subscribe({ error: end, complete: end }));
  });
}

/** Milliseconds that a chunk may wait to be joined with others. */
const FLUSH_EVERY = 10;

function stallInWords({ stall }: Flow): string | undefined {
  if (stall === undefined) return undefined;
  return `stalled: ${stall.waiting.slice(0, MOST_HANDLES).join(', ')} wait for ${stall.blocking.slice(0, MOST_HANDLES).join(', ')}`;
}

const MOST_HANDLES = 4;

function asConversationError(error: unknown): ConversationError {
  if (isAmandaError(error)) return { code: error.code, message: error.message };
  return { message: messageOf(error) };
}

function clockOf(now: () => number): () => number {
  const start = now();
  return () => now() - start;
}

function rxjsTime(): number {
  return asyncScheduler.now();
}
