import {
  AsyncSubject,
  EMPTY,
  Observable,
  Subject,
  concat,
  concatMap,
  defer,
  finalize,
  ignoreElements,
  interval,
  map,
  merge,
  mergeMap,
  of,
  takeUntil,
  tap,
  type ObservableInput,
  type OperatorFunction,
} from 'rxjs';
import type { Stream } from '../connection/stream.js';
import { AmandaError } from '../wire/errors.js';
import type { BackupMessage } from './backup-message.js';
import type { DumpInfo } from './dump-info.js';
import type { DumpOutcome, DumpProgress } from './dump-outcome.js';
import { DumpRecord } from './dump-record.js';
import type { Dump } from './sendbackup.js';
import { watchSilence } from './watch-silence.js';

export type { DumpOutcome, DumpProgress };

/** Takes bytes; the next ones come when what it returns completes, so the sender is slowed to its pace. What it emits is ignored. */
export type Sink = (chunk: Uint8Array) => ObservableInput<unknown>;

/** Where the streams of a dump go. What has no sink is read and counted all the same. */
export interface DumpSinks {
  readonly data: Sink;
  readonly index?: Sink | undefined;
  readonly state?: Sink | undefined;
}

export type DumpEvent =
  /** All info has come; the data follow. */
  | { readonly kind: 'started'; readonly dump: Dump; readonly info: DumpInfo }
  | { readonly kind: 'message'; readonly message: BackupMessage }
  | { readonly kind: 'progress'; readonly progress: DumpProgress }
  /** The last event, and the only one that stands for a whole dump. */
  | { readonly kind: 'done'; readonly outcome: DumpOutcome };

export interface ReceiveDumpOptions {
  /** Milliseconds between two `progress` events, default 1,000. */
  readonly progressInterval?: number;
  /** Milliseconds for which nothing may arrive, default 1,800,000 (Amanda's `dtimeout`). */
  readonly dataTimeout?: number;
  /**
   * Whether the memory of a chunk may be written to again once what its sink returned is complete: for sinks that keep no chunk and no part of one. Receiving costs
   * less then. Default false.
   */
  readonly lease?: boolean;
}

/**
 * Receives a dump, hands its bytes on at the pace of the sinks, and vouches for it.
 *
 *     dump   -d----------------|
 *     out    ---m-s-p--p--m-m-D|      m: message  s: started  p: progress  D: done
 *
 *     dumps.pipe(receiveDump(() => ({ data: (chunk) => file.appendFile(chunk) }))).subscribe(console.log);
 *
 * The sinks are asked for when the target has said what it sends, before the first byte is taken. Completes only behind `done`.
 * Errors with `SERVICE_FAILED` when sendbackup reports an error, `RETRY_LATER` when it wants to be asked again,
 * `INCOMPLETE_DUMP` without `end`, data, size, or an index that was asked for, `CHECKSUM_MISMATCH`, `DATA_TIMEOUT`, `BAD_REPLY` when the data come before what
 * they are, with what broke the connection, and with what a sink errors with. Unsubscribing ends the dump.
 * Source: PROTOCOL.md, "Services".
 */
export function receiveDump(
  open: (dump: Dump, info: DumpInfo) => DumpSinks,
  options: ReceiveDumpOptions = {},
): OperatorFunction<Dump, DumpEvent> {
  return concatMap((dump) => receive(dump, open, options));
}

function receive(
  dump: Dump,
  open: (dump: Dump, info: DumpInfo) => DumpSinks,
  options: ReceiveDumpOptions,
): Observable<DumpEvent> {
  const { progressInterval = 1_000, dataTimeout = 1_800_000, lease = false } = options;
  return defer(() => {
    const record = new DumpRecord(dump);
    const informed = new AsyncSubject<DumpInfo>();
    const over = new Subject<void>();
    const streams = informed.pipe(
      mergeMap((info) =>
        concat(
          of<DumpEvent>({ kind: 'started', dump, info }),
          drain(dump, record, open(dump, info), lease),
        ),
      ),
    );
    const progress = interval(progressInterval).pipe(
      map((): DumpEvent => ({ kind: 'progress', progress: record.progress })),
    );
    const transfer = merge(streams, messages(dump, record, informed)).pipe(
      finalize(() => {
        over.next();
      }),
    );
    const watches = merge(progress, watchSilence(dump, dataTimeout)).pipe(takeUntil(over));
    return concat(
      // In this order: what waits in MESG already is read before it is judged that the data are early.
      merge(watches, transfer, forbidEarlyData(dump).pipe(takeUntil(informed))),
      defer(() => of<DumpEvent>({ kind: 'done', outcome: record.outcome() })),
    );
  });
}

function messages(
  dump: Dump,
  record: DumpRecord,
  informed: AsyncSubject<DumpInfo>,
): Observable<DumpEvent> {
  const inform = (): void => {
    informed.next(record.info);
    informed.complete();
  };
  return dump.messages.pipe(
    concatMap((message) => {
      record.takeMessage(message);
      const event = of<DumpEvent>({ kind: 'message', message });
      return message.kind === 'infoEnd' ? event.pipe(tap({ complete: inform })) : event;
    }),
    tap({
      // Old targets need not say where the info ends.
      complete: () => {
        record.endMessages();
        inform();
      },
    }),
  );
}

function drain(
  dump: Dump,
  record: DumpRecord,
  sinks: DumpSinks,
  lease: boolean,
): Observable<never> {
  const { index = nowhere, state = nowhere } = sinks;
  return merge(
    read(
      dump.data,
      (chunk) => {
        record.takeData(chunk);
        return sinks.data(chunk);
      },
      lease,
    ),
    read(
      dump.index,
      (chunk) => {
        record.index.push(chunk);
        return index(chunk);
      },
      lease || sinks.index === undefined,
    ).pipe(
      tap({
        complete: () => {
          record.index.finish();
        },
      }),
    ),
    read(dump.state, state, lease || sinks.state === undefined),
  );
}

/** Reads to the end, which must be the target's close: a stream that nobody wants to keep may show that bytes are missing, too. */
function read(stream: Stream | undefined, sink: Sink, lease: boolean): Observable<never> {
  return stream === undefined ? EMPTY : stream.paced(sink, { lease }).pipe(ignoreElements());
}

function nowhere(): ObservableInput<never> {
  return EMPTY;
}

/** The streams wait for `info end`; when they hold so much that the connection stays paused, it cannot come any more. */
function forbidEarlyData({ reply, dle, peer }: Dump): Observable<never> {
  const handles = new Set(Object.values(reply.streams).map(({ handle }) => handle));
  return reply.connection.flow.pipe(
    map(({ paused, limit, holders }) => {
      const held = holders.reduce(
        (sum, holder) => sum + (handles.has(holder.handle) ? holder.held : 0),
        0,
      );
      // A paused connection resumes at half of its limit.
      if (!paused || held * 2 <= limit) return;
      throw new AmandaError(
        'BAD_REPLY',
        `${peer} sends the data of ${dle.disk} before it says what they are, which no sendbackup does.`,
        { peer },
      );
    }),
    ignoreElements(),
  );
}
