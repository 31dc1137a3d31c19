import type { Observable } from 'rxjs';
import type { ConnectionOptions } from '../../src/connection/options.js';
import type { Connection } from '../../src/connection/connection.js';
import { connectionLane, streamLane, type PageScope } from '../../src/diagram/page/page.js';
import type { Frame } from '../../src/wire/frame.js';
import { pageConnection } from '../../src/testing/index.js';

/** A connection on which a page sends frames, and the readers of its streams 7 and 8. */
export function reading(options: ConnectionOptions = {}) {
  return {
    about: 'Connection',
    given: { wire: connectionLane<Frame>({ direction: 'in' }) },
    expected: { seven: stream(7), eight: stream(8) },
    wire: ({ wire }: { readonly wire: Observable<Frame> }, scope: PageScope) => {
      const connection = playing(wire, scope, options);
      return { seven: connection.stream(7), eight: connection.stream(8) };
    },
  };
}

/** A connection on which a page sends frames. */
export function playing(
  wire: Observable<Frame>,
  scope: PageScope,
  options: ConnectionOptions = {},
): Connection {
  const { connection, peer } = pageConnection(
    scope,
    { side: 'initiator', user: undefined },
    options,
  );
  scope.ends.add(peer.sendFrames(wire));
  return connection;
}

/** The lane of a stream, under its connection. */
export function stream(handle: number) {
  return streamLane(handle, 'in', { under: 'wire' });
}
