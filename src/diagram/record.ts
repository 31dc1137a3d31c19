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
import type { Flow } from '../connection/flow.js';
import { isAmandaError } from '../wire/errors.js';
import type { Change } from './change.js';
import {
  Conversation,
  type ConversationError,
  type ConversationOptions,
  type Side,
} from './conversation.js';
import type { Diagram } from './model.js';
import { Recording, type RecordingOptions } from './recording.js';

export interface RecordOptions extends Pick<
  ConversationOptions,
  'preview' | 'viewpoint' | 'under' | 'maxLanes'
> {
  /** The connection's lane; default `connection`. Further connections are `connection 2`, `connection 3` … */
  readonly name?: string | undefined;
  /**
   * Whether what comes of a stream in the same millisecond (in 10 ms while more than 16 chunks come in one) is one chunk with a count, told within 10 ms.
   * Default true; false tells each at once.
   */
  readonly joins?: boolean | undefined;
  /** The time in milliseconds; default that of RxJS, which is virtual where time is. */
  readonly now?: (() => number) | undefined;
}

/**
 * Passes connections on and tells what happens on each, while it happens, as the steps of a diagram.
 *
 *     connections  --C---------------
 *     changes      --l-lpspspsl-ccc--      l: a lane begins, p: a packet, s: a span, c: a chunk
 *
 *     connect(bsdtcp({ host: 'db1.example.com' }))
 *       .pipe(record((change) => console.log(change)), noop())
 *       .subscribe();
 *
 * Times are milliseconds since the subscription. No payload is kept but the front of each (`preview`, 16 bytes by default). A connection
 * that breaks is part of the diagram and no error of `observer`, which completes when the recording ends. On a target's connections
 * `viewpoint` is `target`. Errors with `BAD_ARGUMENT` for an option out of its range.
 */
export function record(
  observer: Partial<Observer<Change>> | ((change: Change) => void),
  options: RecordOptions = {},
): MonoTypeOperatorFunction<Connection> {
  const { name = 'connection', now = rxjsTime } = options;
  const told: Partial<Observer<Change>> =
    typeof observer === 'function' ? { next: observer } : observer;
  return (connections) =>
    new Observable((out) => {
      const at = clockOf(now);
      const recordings = new Subscription();
      const begin = (connection: Connection, numbered: string): void => {
        const changes = watch(connection, { ...options, name: numbered }, at);
        recordings.add(
          changes.subscribe({
            next: (change) => told.next?.(change),
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
        // How the connection ends belongs to the recording.
        source.unsubscribe();
        recordings.unsubscribe();
        told.complete?.();
      };
    });
}

/**
 * What happens on one connection, as the steps of a diagram. Completes with the connection, also when it breaks, which is the last event
 * then; errors with `BAD_ARGUMENT` for an option out of its range. Times are milliseconds since the subscription. See {@link record}.
 */
export function recordConnection(
  connection: Connection,
  options: RecordOptions = {},
): Observable<Change> {
  return defer(() => watch(connection, options, clockOf(options.now ?? rxjsTime)));
}

/** Collects the steps of a diagram and emits it when they complete. Errors with `BAD_ARGUMENT` for an option out of its range. */
export function toDiagram(options: RecordingOptions = {}): OperatorFunction<Change, Diagram> {
  return (changes) =>
    defer(() =>
      changes.pipe(
        reduce((recording, change) => {
          recording.change(change);
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
    let time = at();
    const clock = (): number => (time = at());
    conversation.begin(time);
    // One timer while frames come, and none when they have not for a while: a new one for each millisecond would keep the collector busy.
    let settling: Subscription | undefined;
    let isFresh = false;
    const frame = (sender: Side, handle: number, payload: Uint8Array, together: boolean): void => {
      // To look at the clock takes as long as the rest of this.
      conversation.frame(together ? time : clock(), sender, handle, payload);
      isFresh = true;
      if (settling !== undefined || !joins) return;
      settling = interval(SETTLE).subscribe(() => {
        conversation.settle();
        if (!isFresh) {
          settling?.unsubscribe();
          settling = undefined;
        }
        isFresh = false;
      });
    };
    changes.add(() => settling?.unsubscribe());
    const end = (error?: unknown): void => {
      conversation.end(
        clock(),
        undefined,
        error === undefined ? undefined : asConversationError(error),
      );
      changes.complete();
    };
    changes.add(
      connection.look((direction, handle, payload, together) => {
        frame(direction === 'sent' ? own : peer, handle, payload, together);
      }),
    );
    changes.add(
      connection.flow.subscribe((flow) => {
        conversation.flow(clock(), { paused: flow.paused, stalled: stallInWords(flow) });
      }),
    );
    changes.add(connection.ended.subscribe({ error: end, complete: end }));
  });
}

/** How long a chunk may wait to be told, for more to be joined with, in milliseconds. */
const SETTLE = 10;

function stallInWords({ stall }: Flow): string | undefined {
  if (stall === undefined) return undefined;
  return `stalled: ${stall.waiting.slice(0, MOST_HANDLES).join(', ')} wait for ${stall.blocking.slice(0, MOST_HANDLES).join(', ')}`;
}

const MOST_HANDLES = 4;

function asConversationError(error: unknown): ConversationError {
  if (isAmandaError(error)) return { code: error.code, message: error.message };
  return { message: error instanceof Error ? error.message : String(error) };
}

function clockOf(now: () => number): () => number {
  const start = now();
  return () => now() - start;
}

function rxjsTime(): number {
  return asyncScheduler.now();
}
