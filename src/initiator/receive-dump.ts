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
import { checkArgument } from '../wire/arguments.js';
import { AmandaError } from '../wire/errors.js';
import type { BackupMessage } from './backup-message.js';
import type { DumpInfo } from './dump-info.js';
import type { DumpOutcome, DumpProgress } from './dump-outcome.js';
import { DumpRecord } from './dump-record.js';
import type { Dump } from './sendbackup.js';
import { openSink, type OpenSink, type Sink } from './sink.js';
import { watchSilence } from './watch-silence.js';

export type { DumpOutcome, DumpProgress, Sink };

/** The sinks of a dump's streams. A stream without a sink is read and counted. */
export interface DumpSinks {
  readonly data: Sink;
  readonly index?: Sink | undefined;
  readonly state?: Sink | undefined;
}

/** What {@link receiveDump} emits; `done` is the last one. */
export type DumpEvent =
  /** The info is complete; the data follow. */
  | { readonly kind: 'started'; readonly dump: Dump; readonly info: DumpInfo }
  | { readonly kind: 'message'; readonly message: BackupMessage }
  | { readonly kind: 'progress'; readonly progress: DumpProgress }
  /** The last event: the dump is whole. */
  | { readonly kind: 'done'; readonly outcome: DumpOutcome };

/** Options of {@link receiveDump}; times in milliseconds. */
export interface ReceiveDumpOptions {
  /** Milliseconds between two `progress` events, default 1,000. */
  readonly progressInterval?: number;
  /** Milliseconds for which nothing may arrive, default 1,800,000 (Amanda's `dtimeout`). */
  readonly dataTimeout?: number;
  /**
   * Whether a chunk is valid only until its sink's result completes, or the callback of `write` is
   * called. Faster, for sinks that keep no part of a chunk. No effect on a Duplex, which may pass a
   * chunk on. Default false.
   */
  readonly lease?: boolean;
}

/**
 * Receives a dump at the pace of its sinks, and checks that it is whole.
 *
 *     dump   -d----------------|
 *     out    ---m-s-p--p--m-m-D|      m: message  s: started  p: progress  D: done
 *
 * `open` makes the sinks when the info is complete, before the first byte. Completes after `done`.
 * Unsubscribing ends the dump. Source: PROTOCOL.md, "Services". Errors with what breaks the
 * connection, with the error of a sink, and with:
 *
 * - `SERVICE_FAILED`: sendbackup reports an error.
 * - `RETRY_LATER`: sendbackup wants to dump later; {@link retryAdvice} reads when.
 * - `INCOMPLETE_DUMP`: the `end` line, the data, the size or a requested index is missing.
 * - `CHECKSUM_MISMATCH`: the reported checksum or size differs from that of the received bytes.
 * - `DATA_TIMEOUT`: nothing arrived for `dataTimeout`.
 * - `BAD_REPLY`: data came before the info.
 * - `BAD_ARGUMENT`: a sink is none, or returns nothing.
 *
 * @example
 * ```ts
 * import { open } from 'node:fs/promises';
 * import { bsdtcp, connect, dump, receiveDump } from 'rx-amanda';
 *
 * const file = await open('home.tar', 'w');
 *
 * connect(bsdtcp({ host: 'db1.example.com' }))
 *   .pipe(
 *     dump({ dle: { program: 'GNUTAR', disk: '/home' } }),
 *     receiveDump(() => ({ data: (chunk) => file.appendFile(chunk) })),
 *   )
 *   .subscribe({ next: console.log, complete: () => console.log('the dump is whole') });
 * ```
 */
export function receiveDump(
  open: (dump: Dump, info: DumpInfo) => DumpSinks,
  options: ReceiveDumpOptions = {},
): OperatorFunction<Dump, DumpEvent> {
  checkArgument('The function open of receiveDump', open, 'function');
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
    const infoComplete = new AsyncSubject<DumpInfo>();
    const over = new Subject<void>();
    let sinks: OpenSinks = {};
    const streams = infoComplete.pipe(
      mergeMap((info) => {
        sinks = openSinks(open(dump, info));
        return concat(
          of<DumpEvent>({ kind: 'started', dump, info }),
          drain(dump, record, sinks, lease),
        );
      }),
    );
    const progress = interval(progressInterval).pipe(
      map((): DumpEvent => ({ kind: 'progress', progress: record.progress })),
    );
    const transfer = merge(streams, messages(dump, record, infoComplete)).pipe(
      finalize(() => {
        over.next();
      }),
    );
    const watches = merge(
      progress,
      watchSilence({
        streams: Object.values(dump.reply.streams),
        allowed: dataTimeout,
        what: `the dump of ${dump.dle.disk}`,
        peer: dump.peer,
      }),
    ).pipe(takeUntil(over));
    return concat(
      // In this order: buffered lines of MESG are read before the data are judged to be early.
      merge(watches, transfer, forbidEarlyData(dump).pipe(takeUntil(infoComplete))),
      defer(() => {
        const outcome = record.outcome();
        return concat(
          merge(...Object.values(sinks).map(({ end }) => end)),
          of<DumpEvent>({ kind: 'done', outcome }),
        );
      }),
    ).pipe(
      finalize(() => {
        for (const { destroy } of Object.values(sinks)) destroy();
      }),
    );
  });
}

type OpenSinks = Partial<Record<keyof DumpSinks, OpenSink>>;

function openSinks(sinks: DumpSinks): OpenSinks {
  checkArgument('What the function open of receiveDump returns', sinks, 'object');
  const { data, index, state } = sinks;
  return {
    data: openSink('data', data),
    ...(index === undefined ? {} : { index: openSink('index', index) }),
    ...(state === undefined ? {} : { state: openSink('state', state) }),
  };
}

function messages(
  dump: Dump,
  record: DumpRecord,
  infoComplete: AsyncSubject<DumpInfo>,
): Observable<DumpEvent> {
  const completeInfo = (): void => {
    infoComplete.next(record.info);
    infoComplete.complete();
  };
  return dump.messages.pipe(
    concatMap((message) => {
      record.takeMessage(message);
      const event = of<DumpEvent>({ kind: 'message', message });
      return message.kind === 'infoEnd' ? event.pipe(tap({ complete: completeInfo })) : event;
    }),
    tap({
      // Old targets may leave out the end of the info.
      complete: () => {
        record.endMessages();
        completeInfo();
      },
    }),
  );
}

function drain(
  dump: Dump,
  record: DumpRecord,
  sinks: OpenSinks,
  lease: boolean,
): Observable<never> {
  const broken = merge(...Object.values(sinks).map((sink) => sink.broken));
  return new Observable((out) => {
    const reading = merge(
      read(dump.data, sinks.data, lease, (chunk) => {
        record.takeData(chunk);
      }),
      read(dump.index, sinks.index, lease, (chunk) => {
        record.index.push(chunk);
      }).pipe(
        tap({
          complete: () => {
            record.index.finish();
          },
        }),
      ),
      read(dump.state, sinks.state, lease),
    );
    out.add(broken.subscribe({ error: (error: unknown) => out.error(error) }));
    out.add(reading.subscribe(out));
  });
}

/** Reads to the target's close. A stream without a sink is read too: its error counts as well. */
function read(
  stream: Stream | undefined,
  sink: OpenSink | undefined,
  lease: boolean,
  note?: (chunk: Uint8Array) => void,
): Observable<never> {
  if (stream === undefined) return EMPTY;
  const work = (chunk: Uint8Array): ObservableInput<unknown> => {
    note?.(chunk);
    return sink === undefined ? EMPTY : sink.take(chunk);
  };
  const mayLease = sink === undefined || (lease && sink.mayLease);
  return stream.paced(work, { lease: mayLease }).pipe(ignoreElements());
}

/** Streams wait for `info end`. It cannot come when their bytes keep the connection paused. */
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
        `${peer} sends the data of ${dle.disk} before their description, which no sendbackup does.`,
        { peer },
      );
    }),
    ignoreElements(),
  );
}
