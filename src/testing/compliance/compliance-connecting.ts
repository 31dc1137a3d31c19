import { deepEqual, equal, fail, ok, rejects } from 'node:assert/strict';
import { isIP } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import type { Peer } from '../../transport/channel.js';
import { connect } from '../../initiator/connect.js';
import type { Driver } from '../../drivers/driver.js';
import { request } from '../../exchange/request.js';
import {
  ask,
  startRequest,
  isError,
  stillServes,
  streamOf,
  type Behaviours,
} from './compliance-behaviour.js';

/** Milliseconds after which an attempt to connect is cancelled. */
const MOMENTS = [0, 1, 5, 20] as const;

/** Connecting, the name of the peer, and cancelling at every stage. */
export const connecting: Behaviours = {
  'a connection names its peer, on both sides': async ({ driver, peers }) => {
    const { lines, connection } = await ask({ driver }, 'whoami');
    const [line = '{}'] = lines;
    checkPeer(connection.peer, driver, peers.target);
    checkPeer(JSON.parse(line) as Peer, driver, peers.initiator);
  },
  'an unsubscribed connection has ended': async ({ driver }) => {
    const connection = await firstValueFrom(connect(driver));
    await lastValueFrom(connection.ended, { defaultValue: undefined });
  },
  'an attempt to connect can be cancelled at once': async (subject) => {
    connect(subject.driver).subscribe().unsubscribe();
    await stillServes(subject);
  },
  'an attempt to connect can be cancelled at any moment': async (subject) => {
    for (const moment of MOMENTS) {
      const attempt = connect(subject.driver).subscribe();
      await wait(moment);
      attempt.unsubscribe();
    }
    await stillServes(subject);
  },
  'a request can be cancelled while it waits for the ACK': async (subject) => {
    const { reached, cancel, connection } = startRequest(subject, 'deaf');
    await reached('sent REQ');
    cancel();
    await ended(await connection);
    await stillServes(subject);
  },
  'a request can be cancelled while it waits for the REP': async (subject) => {
    const { reached, cancel, connection } = startRequest(subject, 'silent');
    await reached('received ACK');
    cancel();
    await ended(await connection);
    await stillServes(subject, { busy: subject.limits.losesSilently === true });
  },
  'a request can be cancelled in the middle of a stream that is read': async (subject) => {
    const { reply, cancel, connection } = startRequest(subject, 'flood');
    const data = streamOf(await reply, 'DATA');
    const read = new Promise((resolve) => {
      data.subscribe({ next: resolve, error: (error: unknown) => resolve(error) });
    });
    equal((await read) instanceof Error, false);
    cancel();
    await rejects(lastValueFrom((await connection).ended), isError('CONNECTION_CLOSED'));
    await stillServes(subject);
  },
  'a request can be cancelled while one stream is awaited and another one is unread': async (
    subject,
  ) => {
    const { reply, cancel, connection } = startRequest(subject, 'halfway');
    const reading = streamOf(await reply, 'B')[Symbol.asyncIterator]();
    await reading.next();
    const next = rejects(reading.next(), isError('CONNECTION_CLOSED'));
    cancel();
    await next;
    await rejects(lastValueFrom((await connection).ended), isError('CONNECTION_CLOSED'));
    await stillServes(subject);
  },
  'a request that has ended has released its connection': async (subject) => {
    const { replies, cancel, connection } = startRequest(subject, 'noop');
    await lastValueFrom(replies);
    await lastValueFrom((await connection).ended, { defaultValue: undefined });
    cancel();
    await stillServes(subject);
  },
};

/** Connecting without a target; needs `nowhere`. */
export const missing: Behaviours = {
  'a request fails when there is no target': async ({ nowhere }) => {
    const driver = nowhere ?? fail('the setup has no nowhere');
    // Datagrams are sent anyway, and perhaps no error comes back.
    const asked = lastValueFrom(
      connect(driver, { connectTries: 1 }).pipe(
        request('noop', { requestTries: 1, ackTimeout: 2_000 }),
      ),
    );
    await rejects(
      asked,
      isError(['CONNECT_FAILED', 'CONNECT_TIMEOUT', 'COMMAND_FAILED', 'ACK_TIMEOUT']),
    );
  },
};

/** A connection without an open stream ends without an error. */
async function ended({
  ended,
}: {
  readonly ended: Parameters<typeof lastValueFrom>[0];
}): Promise<void> {
  await lastValueFrom(ended, { defaultValue: undefined }).catch(isError('CONNECTION_CLOSED'));
}

function checkPeer(peer: Peer, driver: Driver, known: Partial<Peer> = {}): void {
  equal(peer.driver, driver.name);
  deepEqual(
    Object.fromEntries(Object.keys(known).map((key) => [key, peer[key as keyof Peer]])),
    known,
  );
  if (peer.address !== undefined) ok(isIP(peer.address) !== 0, `${peer.address} is no address`);
  if (peer.port !== undefined)
    ok(
      Number.isInteger(peer.port) && peer.port > 0 && peer.port < 65_536,
      `${peer.port} is no port`,
    );
}
