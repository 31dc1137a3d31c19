import { defer, map, type Observable } from 'rxjs';
import { exchange } from '../../src/exchange/exchange.js';
import { defaultTiming } from '../../src/exchange/timing.js';
import { handleLane, userLane, type PageScope } from '../../src/diagram/page/page.js';
import { mark, page, pageConnection, textBytes } from '../../src/testing/index.js';
import { packetText } from '../../src/wire/packet.js';

interface Given {
  readonly target1: Observable<Uint8Array>;
  readonly target2: Observable<Uint8Array>;
}

/** Two requests on one connection, each made when its answers are subscribed. */
const asking = {
  about: 'exchange, initiator',
  given: { target1: handleLane(1, 'in'), target2: handleLane(2, 'in') },
  expected: {
    initiator1: handleLane(1, 'out'),
    initiator2: handleLane(2, 'out'),
    answers1: userLane<string>(),
    answers2: userLane<string>(),
  },
  wire: ({ target1, target2 }: Given, scope: PageScope) => {
    const { connection, peer } = pageConnection(scope, { side: 'initiator', user: undefined });
    scope.ends.add(peer.send(1, target1));
    scope.ends.add(peer.send(2, target2));
    const ask = (body: string) =>
      defer(() => exchange(connection, textBytes(body), defaultTiming)).pipe(
        map((answer) => packetText(answer.packet)),
      );
    return {
      initiator1: peer.received(1),
      initiator2: peer.received(2),
      answers1: ask('SERVICE noop\nOPTIONS ;\n'),
      answers2: ask('SERVICE selfcheck\nOPTIONS ;\n'),
    };
  },
};

const packets = {
  Q: mark.packet('REQ', 'SERVICE noop\nOPTIONS ;\n'),
  S: mark.packet('REQ', 'SERVICE selfcheck\nOPTIONS ;\n'),
  A: mark.packet('ACK'),
  R: mark.packet('REP', 'one\n'),
  T: mark.packet('REP', 'two\n'),
  N: mark.packet('NAK', 'ERROR no\n'),
  C: mark.close(),
  r: mark.value('one\n', 'the first reply'),
  t: mark.value('two\n', 'the second reply'),
};

/** Concurrent requests on one connection. */
export const pages = [
  page({
    ...asking,
    title: 'Two requests, answered the other way round',
    sentence: 'Requests on one connection have a handle each, and no need to wait for each other.',
    picture: `
      target1     -A----R
      initiator1  Q-----(AC)
      answers1    ------(r|)
      target2     ---A-T
      initiator2  --S--(AC)
      answers2    -----(t|)
      answers2 ^  --^
    `,
    legend: packets,
  }),

  page({
    ...asking,
    title: 'One request after another',
    sentence: 'The second request goes out on the same connection, on the next handle.',
    picture: `
      target1     -A-R
      initiator1  Q--(AC)
      answers1    ---(r|)
      target2     ---------A-T
      initiator2  --------S--(AC)
      answers2    -----------(t|)
      answers2 ^  --------^
    `,
    legend: packets,
  }),

  page({
    ...asking,
    title: 'A refusal concerns one request',
    sentence: 'The other one goes on.',
    picture: `
      target1     -N
      initiator1  QC
      answers1    -#
      target2     -A-T
      initiator2  S--(AC)
      answers2    ---(t|)
    `,
    legend: { ...packets, '#': mark.failure('REFUSED') },
  }),

  page({
    ...asking,
    title: 'A broken connection concerns every request',
    sentence: 'Each of them fails with what broke the connection.',
    picture: `
      target1     ---#
      initiator1  Q--|
      answers1    ---#
      target2     -A--
      initiator2  S--|
      answers2    ---#
    `,
    legend: { ...packets, '#': mark.failure('CONNECTION_LOST') },
  }),
];
