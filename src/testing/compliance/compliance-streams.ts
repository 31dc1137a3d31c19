import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import {
  defaultIfEmpty,
  filter,
  forkJoin,
  ignoreElements,
  last,
  lastValueFrom,
  map,
  merge,
  mergeMap,
  of,
  race,
  skipWhile,
  take,
  tap,
  timer,
  type Observable,
} from 'rxjs';
import type { Connection } from '../../connection/connection.js';
import { pump } from '../../connection/pump.js';
import type { Stream } from '../../connection/stream.js';
import { connect } from '../../initiator/connect.js';
import { request } from '../../exchange/request.js';
import { lastDate, pattern, verifyPattern } from '../byte-pattern.js';
import {
  startRequest,
  isError,
  verifiedLength,
  streamOf,
  readText,
  type Behaviours,
} from './compliance-behaviour.js';
import {
  LATE,
  SOME_BYTES,
  SOURCE_BYTES,
  SOURCE_STREAMS,
  SPRING_BYTES,
} from './compliance-services.js';

/** Streams, their pace, and the bounds of memory. */
export const streaming: Behaviours = {
  'a stream carries bytes both ways, and each direction ends on its own': async ({ driver }) => {
    const length = connect(driver).pipe(
      request('echo'),
      mergeMap((reply) => echoed(streamOf(reply, 'IO'), 0, SOME_BYTES)),
    );
    equal(await lastValueFrom(length), SOME_BYTES);
  },
  'several streams carry bytes both ways at once': async ({ driver }) => {
    const bytes = [3_000_000, 1, 1_000_000];
    const lengths = connect(driver).pipe(
      request('echoes'),
      mergeMap((reply) =>
        forkJoin(
          ['A', 'B', 'C'].map((name, at) => echoed(streamOf(reply, name), at, bytes[at] ?? 0)),
        ),
      ),
    );
    deepEqual(await lastValueFrom(lengths), bytes);
  },
  'several connections at once do not mix': async ({ driver }) => {
    const bytes = [700_000, 500_000, 300_000];
    const lengths = bytes.map((length, at) =>
      connect(driver).pipe(
        request('echo'),
        mergeMap((reply) => echoed(streamOf(reply, 'IO'), at, length)),
      ),
    );
    deepEqual(await lastValueFrom(forkJoin(lengths)), bytes);
  },
  'five streams at once bring 64 MiB each, with one slow reader among them': async ({ driver }) => {
    let pauses = 0;
    const lengths = connect(driver).pipe(
      request('source'),
      mergeMap((reply) => {
        const fast = SOURCE_STREAMS.slice(0, -1).map((name, at) =>
          verifiedLength(streamOf(reply, name), at),
        );
        const slow = slowly(
          streamOf(reply, 'E'),
          fast.length,
          reply.connection,
          () => (pauses += 1),
        );
        return forkJoin([...fast, slow]);
      }),
    );
    deepEqual(
      await lastValueFrom(lengths),
      SOURCE_STREAMS.map(() => SOURCE_BYTES),
    );
    ok(pauses > 0, 'the slow reader has paused nothing');
  },
  'a stream that is read late loses nothing, and keeps at most its budget': async ({ driver }) => {
    const receiveBudget = 262_144;
    let most = 0;
    const total = connect(driver, { receiveBudget }).pipe(
      request('spring'),
      mergeMap((reply) => {
        for (const name of SOURCE_STREAMS.slice(1)) streamOf(reply, name).discard();
        const watching = reply.connection.flow.pipe(
          tap(({ held }) => (most = Math.max(most, held))),
          ignoreElements(),
        );
        const reading = reply.connection.flow.pipe(
          filter(({ paused }) => paused),
          take(1),
          mergeMap(() => verifiedLength(streamOf(reply, 'A').paced((chunk) => of(chunk)))),
        );
        return merge(watching, reading).pipe(take(1));
      }),
    );
    equal(await lastValueFrom(total), SPRING_BYTES);
    ok(most > receiveBudget / 2, `held ${most} bytes`);
    ok(most < receiveBudget + 2 * 65_536, `held ${most} bytes`);
  },
  'an unread stream pauses its source on the target': async ({ driver }) => {
    let [reading, unread] = [0, 0];
    const made = connect(driver, { receiveBudget: 262_144 }).pipe(
      request('dated'),
      map((reply) => streamOf(reply, 'DATA')),
      mergeMap((data) =>
        timer(LATE).pipe(
          tap(() => ([reading, unread] = [Date.now(), data.received])),
          mergeMap(() => lastDate(data)),
        ),
      ),
    );
    const last = await lastValueFrom(made);
    ok(unread < 1_048_576, `${unread} bytes came unread`);
    ok(last >= reading, `the last bytes were made ${reading - last} ms before the first read`);
  },
  'a sender has to wait while the target reads nothing, and buffers are bounded': async ({
    driver,
  }) => {
    // Over the budget the connection would end.
    const { reply, replies } = startRequest({ driver }, 'dam', { sendBudget: 1_048_576 });
    const into = streamOf(await reply, 'IN');
    let waits = 0;
    into.ready.pipe(skipWhile((ready) => !ready)).subscribe((ready) => (waits += ready ? 0 : 1));
    const sent = lastValueFrom(pump(pattern(0, SOURCE_BYTES), into), { defaultValue: undefined });
    const [length] = await Promise.all([readText(streamOf(await reply, 'OUT')), sent]);
    equal(length, String(SOURCE_BYTES));
    ok(waits > 0, 'the sender did not have to wait');
    await lastValueFrom(replies);
  },
  'a sender that does not wait ends its connection at the send budget': async ({ driver }) => {
    const { reply, replies } = startRequest({ driver }, 'dam', { sendBudget: 1_048_576 });
    const into = streamOf(await reply, 'IN');
    const piece = new Uint8Array(262_144);
    for (let sent = 0; sent < SOURCE_BYTES; sent += piece.length) into.next(piece);
    await rejects(lastValueFrom(replies), isError('SEND_BUDGET'));
  },
};

/** Sends the pattern of a stream and reads what comes back; emits its length. */
function echoed(stream: Stream, number: number, length: number): Observable<number> {
  return merge(pump(pattern(number, length), stream), verifiedLength(stream, number));
}

/** Bytes between two pauses of the slow reader. */
const REST_EVERY = 4 * 1024 * 1024;
/** Milliseconds of a pause once the connection is paused, and the longest wait for that. */
const REST = 5;
const REST_AT_MOST = 50;

/** Reads to the end with pauses that pause the connection; reports each time. */
function slowly(
  stream: Stream,
  number: number,
  { flow }: Connection,
  hasPaused: () => void,
): Observable<number> {
  let at = 0;
  let rested = 0;
  let wasPaused = false;
  const paused = flow.pipe(
    filter(({ paused }) => paused),
    take(1),
    tap(() => {
      wasPaused = true;
      hasPaused();
    }),
    mergeMap(() => timer(REST)),
    // The connection may end before its last bytes are read.
    defaultIfEmpty(0),
  );
  return stream
    .paced((chunk) => {
      at = verifyPattern(number, at, chunk);
      if (at - rested < REST_EVERY) return of(at);
      rested = at;
      // The first rest lasts until the connection is paused, however slow the machine is.
      const rest = wasPaused ? race(paused, timer(REST_AT_MOST)) : paused;
      return rest.pipe(map(() => at));
    })
    .pipe(last());
}
