import { equal, rejects } from 'node:assert/strict';
import { ReplaySubject, firstValueFrom, lastValueFrom, tap, type Observable } from 'rxjs';
import { pump } from '../../connection/pump.js';
import type { Stream } from '../../connection/stream.js';
import type { AmandaErrorCode } from '../../wire/errors.js';
import { pattern, verifyPattern } from '../byte-pattern.js';
import {
  startRequest,
  isError,
  verifiedLength,
  stillServes,
  streamOf,
  type Behaviours,
  type ComplianceSubject,
} from './compliance-behaviour.js';
import { LATE, SOME_BYTES } from './compliance-services.js';

/** The codes of a lost channel; the second is for a channel of a command. */
const LOST: readonly AmandaErrorCode[] = ['CONNECTION_LOST', 'COMMAND_FAILED'];

/**
 * The loss of the channel at each stage: it is an error, and nothing looks complete. Needs `cut`.
 */
export const losing: Behaviours = {
  'a channel that is lost before the ACK is an error of the request': async (subject) => {
    // Without the cut the ACK comes in time.
    const patience =
      subject.limits.losesSilently === true ? { ackTimeout: 2 * LATE, requestTries: 1 } : {};
    const { replies, reached } = startRequest(subject, 'hesitant', patience);
    await reached('sent REQ');
    subject.cut();
    await rejects(lastValueFrom(replies), isError(lossIn(subject, 'ACK_TIMEOUT')));
    await stillServes(subject, { busy: subject.limits.losesSilently === true });
  },
  'a channel that is lost between the ACK and the REP is an error of the request': async (
    subject,
  ) => {
    const patience =
      subject.limits.losesSilently === true ? { replyTimeout: 2 * LATE, replyRestarts: 0 } : {};
    const { replies, reached } = startRequest(subject, 'late', patience);
    await reached('received ACK');
    subject.cut();
    await rejects(lastValueFrom(replies), isError(lossIn(subject, 'REP_TIMEOUT')));
    await stillServes(subject, { busy: subject.limits.losesSilently === true });
  },
  'a channel that is lost in the middle of a stream breaks the stream, the request and the connection':
    async (subject) => {
      const { reply, replies, connection } = startRequest(subject, 'flood');
      await lostMidway(subject, streamOf(await reply, 'DATA'), [replies]);
      // A channel that was closed by the peer may have ended without an error.
      await lastValueFrom((await connection).ended, { defaultValue: undefined }).catch(
        isError(LOST),
      );
    },
  'a channel that is lost while the initiator sends breaks the request': async (subject) => {
    const { reply, replies } = startRequest(subject, 'echo');
    const io = streamOf(await reply, 'IO');
    const sending = pump(pattern(0, Infinity), io).subscribe();
    await lostMidway(subject, io, [replies]);
    sending.unsubscribe();
  },
  'a stream that ended before the loss is complete, and an open one errors': async (subject) => {
    const { reply, replies } = startRequest(subject, 'halfway');
    const whole = verifiedLength(streamOf(await reply, 'A'));
    const half = new ReplaySubject<Uint8Array>(16);
    streamOf(await reply, 'B').subscribe(half);
    equal(await lastValueFrom(whole), SOME_BYTES);
    equal(Buffer.from(await firstValueFrom(half)).toString(), 'half');
    subject.cut();
    await rejects(lastValueFrom(half), isError(LOST, /4 bytes/));
    await rejects(lastValueFrom(replies), isError(LOST));
    await stillServes(subject);
  },
};

/** Cuts while a stream flows: it must error, and so must everything on its connection. */
async function lostMidway(
  subject: ComplianceSubject,
  stream: Stream,
  others: readonly Observable<unknown>[],
): Promise<void> {
  let at = 0;
  const flowing = new ReplaySubject<void>(1);
  const data = stream.pipe(
    tap((chunk) => {
      at = verifyPattern(0, at, chunk);
      if (at >= SOME_BYTES) flowing.next();
    }),
  );
  const ends = [data, ...others].map((end) => rejects(lastValueFrom(end), isError(LOST)));
  await firstValueFrom(flowing);
  subject.cut();
  await Promise.all(ends);
  await stillServes(subject);
}

/** The codes of a loss while packets are awaited. */
function lossIn(
  { limits }: ComplianceSubject,
  timeout: AmandaErrorCode,
): readonly AmandaErrorCode[] {
  return limits.losesSilently === true ? [timeout] : LOST;
}
