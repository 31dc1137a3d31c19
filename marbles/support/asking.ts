import { defer, map, type Observable } from 'rxjs';
import type { ConnectionOptions } from '../../src/connection/options.js';
import { exchange } from '../../src/exchange/exchange.js';
import { defaultTiming, type Timing } from '../../src/exchange/timing.js';
import { handleLane, userLane, type PageScope } from '../../src/diagram/page/page.js';
import { packetText } from '../../src/wire/packet.js';
import { mark, pageConnection, textBytes } from '../../src/testing/index.js';

/** Its request. */
export const REQUEST = 'SERVICE noop\nOPTIONS ;\n';

/** The packets of the initiator's pages. */
export const packets = {
  Q: mark.packet('REQ', REQUEST),
  A: mark.packet('ACK'),
  R: mark.packet('REP', 'OPTIONS ;\n'),
  P: mark.packet('PREP', 'so far\n'),
  N: mark.packet('NAK', 'ERROR no\n'),
  C: mark.close(),
  r: mark.value('final OPTIONS ;\n', 'the reply'),
  p: mark.value('partial so far\n', 'a partial reply'),
};

/**
 * An initiator that requests noop when `answers` is subscribed, and the target that a page plays.
 */
export function asking(timing: Partial<Timing> = {}, options: ConnectionOptions = {}) {
  return {
    about: 'exchange, initiator',
    given: { target: handleLane(1, 'in') },
    expected: { initiator: handleLane(1, 'out'), answers: userLane<string>() },
    wire: ({ target }: { readonly target: Observable<Uint8Array> }, scope: PageScope) => {
      const { connection, peer } = pageConnection(
        scope,
        { side: 'initiator', user: undefined },
        options,
      );
      scope.ends.add(peer.send(1, target));
      return {
        initiator: peer.received(1),
        answers: defer(() =>
          exchange(connection, textBytes(REQUEST), { ...defaultTiming, ...timing }),
        ).pipe(map(({ kind, packet: answer }) => `${kind} ${packetText(answer)}`)),
      };
    },
  };
}
