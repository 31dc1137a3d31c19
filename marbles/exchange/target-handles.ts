import { filter, map, timer, type Observable } from 'rxjs';
import { reply } from '../../src/exchange/service.js';
import { handleLane, userLane, type PageScope } from '../../src/diagram/page/page.js';
import { serveConnection } from '../../src/target/serve.js';
import { mark, page, pageConnection } from '../../src/testing/index.js';
import { inWords } from '../support/serving.js';

/** A target whose service replies after three milliseconds, and requests on two handles. */
const serving = {
  about: 'serveConnection',
  given: { asks1: handleLane(1, 'in'), asks2: handleLane(2, 'in') },
  expected: {
    answers1: handleLane(1, 'out'),
    answers2: handleLane(2, 'out'),
    events: userLane<string>(),
  },
  wire: (
    {
      asks1,
      asks2,
    }: { readonly asks1: Observable<Uint8Array>; readonly asks2: Observable<Uint8Array> },
    scope: PageScope,
  ) => {
    const { connection, peer } = pageConnection(scope, { side: 'target', namesUser: false });
    scope.ends.add(peer.send(1, asks1));
    scope.ends.add(peer.send(2, asks2));
    const noop = () => timer(3).pipe(map(() => reply({ lines: ['OPTIONS ;'] })));
    const events = serveConnection(connection, { noop }).pipe(
      filter((event) => event.kind !== 'connected' && event.kind !== 'disconnected'),
      map((event) => `${inWords(event)} (${event.handle})`),
    );
    return { answers1: peer.received(1), answers2: peer.received(2), events };
  },
};

const packets = {
  Q: mark.packet('REQ', 'SERVICE noop\nOPTIONS one;\n'),
  q: mark.packet('REQ', 'SERVICE noop\nOPTIONS two;\n'),
  K: mark.packet('ACK'),
  R: mark.packet('REP', 'OPTIONS ;\n'),
  C: mark.close(),
  a: mark.value('admitted (1)'),
  y: mark.value('replied (1)'),
  e: mark.value('ended: completed (1)'),
  A: mark.value('admitted (2)'),
  Y: mark.value('replied (2)'),
  E: mark.value('ended: completed (2)'),
  D: mark.value('ended: duplicate (2)'),
};

/** Concurrent requests on one connection. */
export const pages = [
  page({
    ...serving,
    title: 'Requests on several handles at once',
    sentence: 'Each handle has its own exchange; they do not wait for each other.',
    picture: `
      asks1     -Q-------K
      answers1  -K--R----C
      asks2     ---q---K
      answers2  ---K--RC
      events    -a-Ay-YE-e
    `,
    legend: packets,
  }),

  page({
    ...serving,
    title: 'The same request on another handle',
    sentence:
      'The request runs already: the second one is acknowledged and closed, and answered on the handle of the first.',
    picture: `
      asks1     -Q-----K
      answers1  -K--R--C
      asks2     --Q
      answers2  --(KC)
      events    -aD-y--e
    `,
    legend: packets,
  }),

  page({
    ...serving,
    title: 'The same request again, afterwards',
    sentence: 'When the first one has ended, the same request is a new one.',
    picture: `
      asks1     -Q-----K
      answers1  -K--R--C
      asks2     --------Q----K
      answers2  --------K--R-C
      events    -a--y--eA--Y-E
    `,
    legend: packets,
  }),
];
