import { map, mergeMap, of, share, type Observable } from 'rxjs';
import type { Connection } from '../../src/connection/connection.js';
import { request } from '../../src/exchange/request.js';
import { handleLane, streamLane, userLane, type PageScope } from '../../src/diagram/page/page.js';
import { mark, page, pageConnection } from '../../src/testing/index.js';

const DATA = 499_999;

interface Given {
  readonly target: Observable<Uint8Array>;
  readonly dataIn: Observable<Uint8Array>;
}

/** A request whose reply announces a stream, and the reader of that stream. */
const reading = {
  about: 'request',
  given: { target: handleLane(1, 'in'), dataIn: streamLane(DATA, 'in') },
  expected: {
    initiator: handleLane(1, 'out'),
    dataOut: streamLane(DATA, 'out'),
    replies: userLane<string>(),
    data: userLane<Uint8Array>(),
  },
  wire: ({ target, dataIn }: Given, scope: PageScope) => {
    const { connection, peer } = pageConnection(scope, { side: 'initiator', user: undefined });
    scope.ends.add(peer.send(1, target));
    scope.ends.add(peer.send(DATA, dataIn));
    const replies = of<Connection>(connection).pipe(request('noop'), share());
    return {
      initiator: peer.received(1),
      dataOut: peer.received(DATA),
      replies: replies.pipe(map(({ kind }) => kind)),
      data: replies.pipe(mergeMap(({ streams }) => streams['DATA'] ?? of())),
    };
  },
};

const packets = {
  Q: mark.packet('REQ', 'SERVICE noop\nOPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\n'),
  A: mark.packet('ACK'),
  R: mark.packet('REP', `CONNECT DATA ${DATA}\n`),
  C: mark.close(),
  x: mark.chunk('x'),
  y: mark.chunk('y'),
  f: mark.value('final', 'the reply'),
};

/** What an initiator gets from the streams of a reply. */
export const pages = [
  page({
    ...reading,
    title: 'The streams of a reply',
    sentence:
      'The reply brings its streams; the request completes when the target has closed them, and closes them in its own direction.',
    picture: `
      target     -A-R
      dataIn     -----x-y-C
      initiator  Q--(AC)
      dataOut    ---------C
      replies    ---f-----|
      data       -----x-y-|
    `,
    legend: packets,
  }),

  page({
    ...reading,
    title: 'Bytes together with the REP',
    sentence:
      'Bytes that the target sends together with the reply are kept, although they have no reader yet.',
    picture: `
      target     -A-R
      dataIn     ---(xyC)
      initiator  Q--(AC)
      dataOut    ---C
      replies    ---(f|)
      data       ---(xy|)
    `,
    legend: packets,
  }),

  page({
    ...reading,
    title: 'Bytes before the REP',
    sentence: 'Bytes for a handle that is not announced yet are kept.',
    picture: `
      target     -A---R
      dataIn     ---x---yC
      initiator  Q----(AC)
      dataOut    --------C
      replies    -----f--|
      data       -----x-y|
    `,
    legend: packets,
  }),

  page({
    ...reading,
    title: 'A reader that leaves early',
    sentence:
      'When the reader leaves, the stream counts as done. The request completes and closes its direction; later bytes are dropped.',
    picture: `
      target     -A-R
      dataIn     -----x-y-yC
      initiator  Q--(AC)
      dataOut    --------C
      replies    ---f----|
      data       -----x-y
      data ^     ^-------!
    `,
    legend: packets,
  }),

  page({
    ...reading,
    title: 'The connection breaks within a stream',
    sentence: 'A truncated stream ends with an error, never with completion.',
    picture: `
      target     -A-R---#
      dataIn     -----x
      initiator  Q--(AC)|
      dataOut    -------|
      replies    ---f---#
      data       -----x-#
    `,
    legend: { ...packets, '#': mark.failure('CONNECTION_LOST') },
  }),

  page({
    ...reading,
    title: 'The target ends the connection within a stream',
    sentence:
      'The connection ends without an error, but an open stream errors, because bytes may be missing.',
    picture: `
      target     -A-R---|
      dataIn     -----x
      initiator  Q--(AC)|
      dataOut    -------|
      replies    ---f---#
      data       -----x-#
    `,
    legend: { ...packets, '#': mark.failure('CONNECTION_LOST') },
  }),
];
