import { NEVER, Subject, concat, filter, map, of, type Observable } from 'rxjs';
import { reply } from '../../src/exchange/service.js';
import { handleLane, streamLane, userLane, type PageScope } from '../../src/diagram/page/page.js';
import { serveConnection } from '../../src/target/serve.js';
import { mark, pageConnection } from '../../src/testing/index.js';
import { inWords, packets } from './serving.js';

const DATA = 499_999;

/** What flows on the pages of a target's streams. */
export const chunks = {
  ...packets,
  R: mark.packet('REP', `CONNECT DATA ${DATA}\n`),
  x: mark.chunk('x'),
  y: mark.chunk('y'),
  z: mark.chunk('z'),
  a: mark.value('admitted', 'the request is admitted'),
  r: mark.value('replied', 'the REP was sent'),
};

interface Given {
  readonly initiator: Observable<Uint8Array>;
  readonly dataIn: Observable<Uint8Array>;
  readonly source: Observable<Uint8Array>;
}

/**
 * A target whose service replies at once with a stream DATA. `source`: what it sends; `taken`: what
 * it receives; `over`: when the service completes.
 */
export function streaming(over: Observable<never> = NEVER) {
  return {
    about: 'streams of a target',
    given: {
      initiator: handleLane(1, 'in'),
      dataIn: streamLane(DATA, 'in'),
      source: userLane<Uint8Array>({ hot: true }),
    },
    expected: {
      target: handleLane(1, 'out'),
      dataOut: streamLane(DATA, 'out'),
      taken: userLane<Uint8Array>(),
      events: userLane<string>(),
    },
    wire: ({ initiator, dataIn, source }: Given, scope: PageScope) => {
      const { connection, peer } = pageConnection(scope, { side: 'target', namesUser: false });
      const taken = new Subject<Uint8Array>();
      const data = (incoming: Observable<Uint8Array>): Observable<Uint8Array> => {
        incoming.subscribe(taken);
        return source;
      };
      scope.ends.add(peer.send(1, initiator));
      scope.ends.add(peer.send(DATA, dataIn));
      const events = serveConnection(connection, {
        noop: () => concat(of(reply({ streams: { DATA: data } })), over),
      });
      return {
        target: peer.received(1),
        dataOut: peer.received(DATA),
        taken,
        events: events.pipe(
          map(inWords),
          filter((event) => event !== 'connected'),
        ),
      };
    },
  };
}
