import { map, of, type Observable, type OperatorFunction } from 'rxjs';
import type { Connection } from '../../src/connection/connection.js';
import { handleLane, userLane, type PageScope } from '../../src/diagram/page/page.js';
import { pageConnection } from '../../src/testing/index.js';

/** The default OPTIONS line of a call. */
export const OPTIONS = 'OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\n';

/** An initiator that makes one call, its results in words, and the target that a page plays. */
export function calling<T>(
  about: string,
  call: () => OperatorFunction<Connection, T>,
  inWords: (result: T) => string,
) {
  return {
    about,
    given: { target: handleLane(1, 'in') },
    expected: { initiator: handleLane(1, 'out'), results: userLane<string>() },
    wire: ({ target }: { readonly target: Observable<Uint8Array> }, scope: PageScope) => {
      const { connection, peer } = pageConnection(scope, { side: 'initiator', user: undefined });
      scope.ends.add(peer.send(1, target));
      return {
        initiator: peer.received(1),
        results: of<Connection>(connection).pipe(call(), map(inWords)),
      };
    },
  };
}
