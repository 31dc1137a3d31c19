import { equal, rejects } from 'node:assert/strict';
import { filter, firstValueFrom, lastValueFrom } from 'rxjs';
import { pump } from '../../connection/pump.js';
import type { Stream } from '../../connection/stream.js';
import { pattern } from '../byte-pattern.js';
import {
  startRequest,
  isError,
  verifiedLength,
  stillServes,
  streamOf,
  readText,
  type Behaviours,
} from './compliance-behaviour.js';
import { SOME_BYTES } from './compliance-services.js';

/** Closing, by either side in either order, with and without unread bytes. */
export const closing: Behaviours = {
  'a stream that the initiator closes first still delivers bytes': async (subject) => {
    const { reply, replies } = startRequest(subject, 'answer');
    const io = streamOf(await reply, 'IO');
    const [length] = await Promise.all([lastValueFrom(verifiedLength(io)), send(io)]);
    equal(length, SOME_BYTES);
    await lastValueFrom(replies);
  },
  'a stream that the target closes first still takes bytes': async (subject) => {
    const { reply, replies } = startRequest(subject, 'sink');
    const into = streamOf(await reply, 'IN');
    const sent = lastValueFrom(into, { defaultValue: undefined }).then(() => send(into));
    const [text] = await Promise.all([readText(streamOf(await reply, 'OUT')), sent]);
    equal(text, String(SOME_BYTES));
    await lastValueFrom(replies);
  },
  'a stream that both sides close at once ends whole': async (subject) => {
    const { reply, replies } = startRequest(subject, 'brief');
    const io = streamOf(await reply, 'IO');
    io.next(Buffer.from('bye'));
    io.complete();
    equal(await lastValueFrom(verifiedLength(io)), SOME_BYTES);
    await lastValueFrom(replies);
  },
  'unread bytes stay readable after the target has closed': async (subject) => {
    const { reply, replies } = startRequest(subject, 'brief');
    const io = streamOf(await reply, 'IO');
    await firstValueFrom(io.ends.pipe(filter(({ receiving }) => receiving === 'closed')));
    equal(await lastValueFrom(verifiedLength(io)), SOME_BYTES);
    await lastValueFrom(replies);
  },
  'a stream that the initiator discards does not keep its request from completing': async (
    subject,
  ) => {
    const { reply, replies, connection } = startRequest(subject, 'brief');
    streamOf(await reply, 'IO').discard();
    await lastValueFrom(replies);
    await lastValueFrom((await connection).ended, { defaultValue: undefined });
  },
  'a stream that the target discards still takes bytes': async (subject) => {
    const { reply, replies } = startRequest(subject, 'discards');
    const io = streamOf(await reply, 'IO');
    const [text] = await Promise.all([readText(io), send(io)]);
    equal(text, 'done');
    await lastValueFrom(replies);
  },
  'a connection that the initiator closes with unread bytes ends at once, and open streams error':
    async (subject) => {
      const { reply, replies, connection } = startRequest(subject, 'flood');
      const data = streamOf(await reply, 'DATA');
      await firstValueFrom((await connection).flow.pipe(filter(({ paused }) => paused)));
      (await connection).close();
      await rejects(lastValueFrom(data), isError('CONNECTION_CLOSED'));
      await rejects(lastValueFrom(replies), isError(['CONNECTION_CLOSED', 'CONNECTION_LOST']));
      await stillServes(subject);
    },
  'a stream whose source fails breaks, and never looks complete': async (subject) => {
    const { reply, replies } = startRequest(subject, 'breaks');
    const data = lastValueFrom(streamOf(await reply, 'DATA'));
    const messages = lastValueFrom(streamOf(await reply, 'MESG'));
    await Promise.all(
      [data, messages, lastValueFrom(replies)].map((end) =>
        rejects(end, isError('CONNECTION_LOST')),
      ),
    );
    await stillServes(subject);
  },
};

/** Sends some bytes and closes. */
function send(stream: Stream): Promise<unknown> {
  return lastValueFrom(pump(pattern(0, SOME_BYTES), stream), { defaultValue: undefined });
}
