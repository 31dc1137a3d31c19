import {
  Observable,
  concat,
  defer,
  filter,
  finalize,
  interval,
  map,
  merge,
  mergeMap,
  of,
  takeUntil,
  Subject,
  type OperatorFunction,
} from 'rxjs';
import type { Connection } from '../../connection/connection.js';
import type { Stream } from '../../connection/stream.js';
import { request, type Reply } from '../../exchange/request.js';
import { describePeer } from '../../transport/channel.js';
import type { DumpHeader } from '../../wire/dumpfile.js';
import { optionsFor } from '../call-options.js';
import { onConnection } from '../on-connection.js';
import { badReply, serviceFailed } from '../reply-errors.js';
import { watchSilence } from '../watch-silence.js';
import {
  ImageRestore,
  type ImageSinks,
  type RestoreImageEvent,
  type RestoreImageOptions,
} from './image-restore.js';
import { withDialogue } from './line-dialogue.js';

/**
 * Has a server read an image from its volumes, and receives it at the pace of the sinks.
 *
 *     source  -C-----------------------|      C: the Connection
 *     out     ----s--p--p--m--p--(D|)         s: started  p: progress  m: message  D: done
 *
 * Errors with `SERVICE_FAILED` when the server finds no such dump, `INCOMPLETE_DUMP`,
 * `CHECKSUM_MISMATCH`, `BAD_REPLY`, `DATA_TIMEOUT`, with the error of a sink, and as
 * {@link request} does. Unsubscribing tells the server to stop. Source: PROTOCOL.md, "amidxtaped".
 *
 * @example
 * ```ts
 * import { open } from 'node:fs/promises';
 * import { bsdtcp, connect, restoreImage, type IndexedDump } from 'rx-amanda';
 *
 * async function restore(dump: IndexedDump): Promise<void> {
 *   const place = { config: 'daily', host: 'db1.example.com', disk: '/etc' };
 *   const file = await open('etc.tar', 'w');
 *   connect(bsdtcp({ host: 'server.example.com' }))
 *     .pipe(restoreImage({ ...place, dump }, () => ({ data: (chunk) => file.appendFile(chunk) })))
 *     .subscribe(console.log);
 * }
 * ```
 */
export function restoreImage(
  options: RestoreImageOptions,
  open: (header: DumpHeader) => ImageSinks,
): OperatorFunction<Connection, RestoreImageEvent> {
  return onConnection((connection) =>
    of(connection).pipe(
      request(
        {
          service: 'amidxtaped',
          options: { ...optionsFor(options), auth: connection.peer.driver },
        },
        options,
      ),
      filter(({ kind }) => kind === 'final'),
      mergeMap((reply) => receiveImage(reply, options, open)),
    ),
  );
}

function receiveImage(
  reply: Reply,
  options: RestoreImageOptions,
  open: (header: DumpHeader) => ImageSinks,
): Observable<RestoreImageEvent> {
  const { ctl, data, state } = streamsOf(reply);
  const { connection } = reply;
  const { silence = 1_800_000, progressInterval = 1_000, host, disk } = options;
  const peer = describePeer(connection.peer);
  let isOver = false;
  return withDialogue(ctl, (dialogue) => {
    const restore = new ImageRestore({ dialogue, data, state, options, open, peer });
    const over = new Subject<void>();
    const transfer = restore.run().pipe(
      finalize(() => {
        over.next();
      }),
    );
    const progress = interval(progressInterval).pipe(
      map((): RestoreImageEvent => ({ kind: 'progress', bytes: restore.bytes })),
    );
    const watch = watchSilence({
      streams: Object.values(reply.streams),
      allowed: silence,
      what: `the dump of ${host}:${disk}`,
      peer,
      isWaiting: () => restore.isWaiting,
    });
    return concat(
      merge(merge(progress, watch).pipe(takeUntil(over)), transfer),
      defer(() => {
        isOver = true;
        return of<RestoreImageEvent>({ kind: 'done', outcome: restore.outcome() });
      }),
    );
  }).pipe(
    finalize(() => {
      if (isOver) return;
      // A server that only loses its client keeps the volume reserved.
      for (const stream of [ctl, data, ...(state ? [state] : [])]) stream.complete();
    }),
  );
}

function streamsOf(reply: Reply): {
  readonly ctl: Stream;
  readonly data: Stream;
  readonly state: Stream | undefined;
} {
  if (reply.errors.length > 0) throw serviceFailed('amidxtaped', reply);
  const { CTL: ctl, DATA: data, STATE: state, ...others } = reply.streams;
  if (ctl === undefined) throw badReply('amidxtaped', 'it announces no CTL stream', reply);
  if (data === undefined) throw badReply('amidxtaped', 'it announces no DATA stream', reply);
  for (const stream of Object.values(others)) stream.discard();
  return { ctl, data, state };
}
