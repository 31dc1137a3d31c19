import { filter, map, of, type Observable } from 'rxjs';
import { handleLane, userLane, type PageScope } from '../../src/diagram/page/page.js';
import { serveConnection, type ServeOptions, type ServiceEvent } from '../../src/target/serve.js';
import { mark, pageConnection } from '../../src/testing/index.js';
import { partialReply, reply, type ServiceReply } from '../../src/exchange/service.js';

/** The packets of the target's pages. */
export const packets = {
  Q: mark.packet('REQ', 'SERVICE noop\nOPTIONS ;\n'),
  K: mark.packet('ACK'),
  R: mark.packet('REP', 'OPTIONS ;\n'),
  P: mark.packet('PREP', 'so far\n'),
  C: mark.close(),
  r: mark.value(reply({ lines: ['OPTIONS ;'] }), 'the reply of the service'),
  p: mark.value(partialReply(['so far']), 'a partial reply of the service'),
  a: mark.value('admitted', 'the request is admitted'),
  y: mark.value('replied', 'the REP was sent'),
  e: mark.value('ended: completed', 'the request is completed'),
};

/** A target with the service noop, which replies or fails as the page says, and its initiator. */
export function serving(
  options: ServeOptions = {},
  role: { readonly namesUser: boolean } = { namesUser: false },
  lacks?: string,
) {
  return {
    about: 'serveConnection',
    given: { initiator: handleLane(1, 'in'), service: userLane<ServiceReply>({ hot: true }) },
    expected: { target: handleLane(1, 'out'), events: userLane<string>() },
    wire: (
      {
        initiator,
        service,
      }: { readonly initiator: Observable<Uint8Array>; readonly service: Observable<ServiceReply> },
      scope: PageScope,
    ) => {
      const { connection, peer } = pageConnection(scope, { side: 'target', ...role });
      scope.ends.add(peer.send(1, initiator));
      return {
        target: peer.received(1),
        events: serveConnection(
          connection,
          {
            noop:
              lacks === undefined
                ? () => service
                : Object.assign(() => service, { check: () => of(lacks) }),
          },
          options,
        ).pipe(
          map(inWords),
          filter((event) => event !== 'connected'),
        ),
      };
    },
  };
}

/** An event of a target in a word or two. */
export function inWords(event: ServiceEvent): string {
  switch (event.kind) {
    case 'refused':
      return `refused: ${event.reason}`;
    case 'ended':
      return `ended: ${event.outcome}`;
    default:
      return event.kind;
  }
}
