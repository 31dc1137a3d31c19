import { equal, rejects } from 'node:assert/strict';
import { filter, firstValueFrom, lastValueFrom } from 'rxjs';
import { pump } from '../../connection/pump.js';
import type { Stream } from '../../connection/stream.js';
import { pattern } from '../byte-pattern.js';
import {
  begin,
  isError,
  lengthOf,
  servesOn,
  streamOf,
  textOf,
  type Behaviours,
} from './compliance-behaviour.js';
import { SOME_BYTES } from './compliance-services.js';

/** Closing, by either side in either order, with and without bytes that nobody has read. */
export const closing: Behaviours = {
  'a stream that the initiator closes first still brings bytes': async (subject) => {
    const { reply, replies } = begin(subject, 'answer');
    const io = streamOf(await reply, 'IO');
    const [length] = await Promise.all([lastValueFrom(lengthOf(io)), send(io)]);
    equal(length, SOME_BYTES);
    await lastValueFrom(replies);
  },
  'a stream that the target closes first still takes bytes': async (subject) => {
    const { reply, replies } = begin(subject, 'sink');
    const into = streamOf(await reply, 'IN');
    const sent = lastValueFrom(into, { defaultValue: undefined }).then(() => send(into));
    const [said] = await Promise.all([textOf(streamOf(await reply, 'OUT')), sent]);
    equal(said, String(SOME_BYTES));
    await lastValueFrom(replies);
  },
  'a stream that both sides close at once ends whole': async (subject) => {
    const { reply, replies } = begin(subject, 'brief');
    const io = streamOf(await reply, 'IO');
    io.next(Buffer.from('bye'));
    io.complete();
    equal(await lastValueFrom(lengthOf(io)), SOME_BYTES);
    await lastValueFrom(replies);
  },
  'bytes that were not read when the target closed are there all the same': async (subject) => {
    const { reply, replies } = begin(subject, 'brief');
    const io = streamOf(await reply, 'IO');
    await firstValueFrom(io.ends.pipe(filter(({ receiving }) => receiving === 'closed')));
    equal(await lastValueFrom(lengthOf(io)), SOME_BYTES);
    await lastValueFrom(replies);
  },
  'a stream that the initiator does not want does not keep its request from ending well': async (
    subject,
  ) => {
    const { reply, replies, connection } = begin(subject, 'brief');
    streamOf(await reply, 'IO').discard();
    await lastValueFrom(replies);
    await lastValueFrom((await connection).ended, { defaultValue: undefined });
  },
  'a stream that the target does not want takes bytes nevertheless': async (subject) => {
    const { reply, replies } = begin(subject, 'heedless');
    const io = streamOf(await reply, 'IO');
    const [said] = await Promise.all([textOf(io), send(io)]);
    equal(said, 'done');
    await lastValueFrom(replies);
  },
  'a connection that the initiator closes with bytes unread ends at once, and what was open on it says so':
    async (subject) => {
      const { reply, replies, connection } = begin(subject, 'flood');
      const data = streamOf(await reply, 'DATA');
      await firstValueFrom((await connection).flow.pipe(filter(({ paused }) => paused)));
      (await connection).close();
      await rejects(lastValueFrom(data), isError('CONNECTION_CLOSED'));
      await rejects(lastValueFrom(replies), isError(['CONNECTION_CLOSED', 'CONNECTION_LOST']));
      await servesOn(subject);
    },
  'a stream whose source fails breaks, and never looks complete': async (subject) => {
    const { reply, replies } = begin(subject, 'breaks');
    const data = lastValueFrom(streamOf(await reply, 'DATA'));
    const messages = lastValueFrom(streamOf(await reply, 'MESG'));
    await Promise.all(
      [data, messages, lastValueFrom(replies)].map((end) =>
        rejects(end, isError('CONNECTION_LOST')),
      ),
    );
    await servesOn(subject);
  },
};

/** Sends some bytes and closes. */
function send(stream: Stream): Promise<unknown> {
  return lastValueFrom(pump(pattern(0, SOME_BYTES), stream), { defaultValue: undefined });
}
