import { NEVER, mergeMap, type Observable } from 'rxjs';
import { request } from '../../src/exchange/request.js';
import { overChannel } from '../../src/drivers/over-channel.js';
import {
  connectionLane,
  handleLane,
  mark,
  page,
  pageConnection,
  type PageScope,
  ScriptedPeer,
  streamLane,
  userLane,
} from '../../src/testing/index.js';
import { AmandaError } from '../../src/wire/errors.js';
import type { Frame } from '../../src/wire/frame.js';
import type { Connection } from '../../src/connection/connection.js';
import { OPTIONS } from '../support/calling.js';
import { stream } from '../support/reading.js';

type Action = 'close' | 'abort' | 'complete';

interface Given {
  readonly wire: Observable<Frame>;
  readonly user: Observable<Uint8Array | Action>;
}

/** A connection with stream 7, on which a user sends, and which a user ends. */
const ending = {
  about: 'Connection',
  given: {
    wire: connectionLane<Frame>({ direction: 'in' }),
    user: userLane<Uint8Array | Action>(),
  },
  expected: { seven: stream(7), sent: streamLane(7, 'out'), ended: userLane<never>() },
  wire: ({ wire, user }: Given, scope: PageScope) => {
    const { connection, peer } = pageConnection(scope, { side: 'initiator', user: undefined });
    const seven = connection.stream(7);
    scope.ends.add(peer.sendFrames(wire));
    scope.ends.add(
      user.subscribe((what) => {
        if (typeof what !== 'string') seven.next(what);
        else if (what === 'close') connection.close();
        else if (what === 'complete') seven.complete();
        else connection.abort(new AmandaError('CONNECTION_CLOSED', 'The user has had enough.'));
      }),
    );
    return { seven, sent: peer.received(7), ended: connection.ended };
  },
};

/** A connection over a channel, and what becomes of both when its user leaves. */
const leaving = {
  about: 'overChannel',
  given: { channel: connectionLane<Frame>({ direction: 'in' }) },
  expected: { connections: userLane<string>(), sent: connectionLane<Frame>({ direction: 'out' }) },
  wire: ({ channel }: { readonly channel: Observable<Frame> }, scope: PageScope) => {
    const peer = new ScriptedPeer();
    scope.ends.add(peer.sendFrames(channel));
    const connections = overChannel(
      peer.channel,
      { side: 'initiator', user: undefined },
      { gather: false },
    );
    return { connections: connections.pipe(mergeMap(() => ['connected'])), sent: peer.frames };
  },
};

/** A request over a connection that lives as long as its user subscribes. */
const cancelling = {
  about: 'request',
  given: { target: handleLane(1, 'in'), dataIn: streamLane(499_999, 'in') },
  expected: { initiator: handleLane(1, 'out'), data: userLane<Uint8Array>() },
  wire: (
    {
      target,
      dataIn,
    }: { readonly target: Observable<Uint8Array>; readonly dataIn: Observable<Uint8Array> },
    scope: PageScope,
  ) => {
    const peer = new ScriptedPeer();
    scope.ends.add(peer.send(1, target));
    scope.ends.add(peer.send(499_999, dataIn));
    const connections: Observable<Connection> = overChannel(
      peer.channel,
      { side: 'initiator', user: undefined },
      { gather: false },
    );
    const data = connections.pipe(
      request('noop'),
      mergeMap(({ streams }) => streams['DATA'] ?? NEVER),
    );
    return { initiator: peer.received(1), data };
  },
};

const legend = {
  a: mark.frame('7:a'),
  c: mark.frame('7:'),
  A: mark.chunk('a'),
  p: mark.chunk('p'),
  q: mark.chunk('q'),
  C: mark.close(),
  X: mark.value<Action>('close', 'close the connection'),
  Y: mark.value<Action>('abort', 'abort the connection'),
  Z: mark.value<Action>('complete', 'close the stream'),
  k: mark.value('connected'),
};

const packets = {
  Q: mark.packet('REQ', `SERVICE noop\n${OPTIONS}`),
  K: mark.packet('ACK'),
  R: mark.packet('REP', 'CONNECT DATA 499999\n\n'),
  x: mark.chunk('x'),
};

/** How streams and connections end, from this side. */
export const pages = [
  page({
    ...ending,
    title: 'This side closes the stream first',
    sentence:
      'Either side may close first. The other direction goes on; the stream ends when both are closed.',
    picture: `
      wire   -a------a-c
      seven  -A------A-|
      user   ---p-Z
      sent   ---p-C
      ended  -
    `,
    legend,
  }),

  page({
    ...ending,
    title: 'The peer closes the stream first',
    sentence: 'A received close does not stop sending.',
    picture: `
      wire   -a-c
      seven  -A-|
      user   -----p-q-Z
      sent   -----p-q-C
      ended  -
    `,
    legend,
  }),

  page({
    ...ending,
    title: 'Closing the connection',
    sentence:
      'close() ends it in good order after what was sent. A stream that is still open errors.',
    picture: `
      wire   -a
      seven  -A---#
      user   ---p-X
      sent   ---p-|
      ended  -----|
    `,
    legend: { ...legend, '#': mark.failure('CONNECTION_CLOSED') },
  }),

  page({
    ...ending,
    title: 'Aborting the connection',
    sentence: 'abort() ends it at once, with the reason given as the error of everything on it.',
    picture: `
      wire   -a
      seven  -A---#
      user   ---p-Y
      sent   ---p-|
      ended  -----#
    `,
    legend: { ...legend, '#': mark.failure('CONNECTION_CLOSED') },
  }),

  page({
    ...leaving,
    title: 'A connection over a channel',
    sentence: 'The connection exists with its channel, and lives until that ends.',
    picture: `
      channel      --a--|
      connections  k----|
      sent         -----|
    `,
    legend,
  }),

  page({
    ...leaving,
    title: 'A channel that breaks',
    sentence: 'A break is an error of the connection.',
    picture: `
      channel      --a--#
      connections  k----#
      sent         -----|
    `,
    legend: { ...legend, '#': mark.failure('CONNECTION_LOST') },
  }),

  page({
    ...leaving,
    title: 'Leaving a connection',
    sentence: 'Unsubscribing ends the connection and its channel.',
    picture: `
      channel        --a
      connections    k
      connections ^  ^----!
      sent           -----|
    `,
    legend,
  }),

  page({
    ...cancelling,
    title: 'Leaving while the ACK is waited for',
    sentence:
      'Unsubscribing stops the timers of the exchange and ends the connection that was made for it.',
    picture: `
      target     -
      dataIn     -
      initiator  Q----|
      data       -
      data ^     ^----!
    `,
    legend: { ...legend, ...packets },
  }),

  page({
    ...cancelling,
    title: 'Leaving while a stream arrives',
    sentence: 'Unsubscribing a stream of a reply ends the connection as well: this cancels a dump.',
    picture: `
      target     -K-R
      dataIn     -----x-x-x
      initiator  Q--(KC)-|
      data       -----x-x
      data ^     ^-------!
    `,
    legend: { ...legend, ...packets },
  }),
];
