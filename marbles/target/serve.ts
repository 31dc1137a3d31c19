import { filter, map, type Observable } from 'rxjs';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import type { ServiceReply } from '../../src/exchange/service.js';
import { handleLane, userLane, type PageScope } from '../../src/diagram/page/page.js';
import {
  serve,
  serveConnection,
  type ServeOptions,
  type ServiceEvent,
} from '../../src/target/serve.js';
import { mark, page, pageConnection, ScriptedPeer } from '../../src/testing/index.js';
import { AmandaError } from '../../src/wire/errors.js';
import { inWords, packets } from '../support/serving.js';

interface Given {
  readonly arrivals: Observable<string>;
  readonly initiator: Observable<Uint8Array>;
  readonly service: Observable<ServiceReply>;
  readonly stop: Observable<string>;
}

/** A target and the connections of a page. The page plays the first one; the others are silent. */
function listening(maxConnections?: number) {
  return {
    about: 'serve',
    given: {
      arrivals: userLane<string>({ hot: true }),
      initiator: handleLane(1, 'in', { hot: true }),
      service: userLane<ServiceReply>({ hot: true }),
      stop: userLane<string>({ hot: true }),
    },
    expected: { target: handleLane(1, 'out'), events: userLane<string>() },
    wire: ({ arrivals, initiator, service, stop }: Given, scope: PageScope) => {
      const first = new ScriptedPeer();
      scope.ends.add(first.send(1, initiator));
      let free: ScriptedPeer | undefined = first;
      const accept = () =>
        arrivals.pipe(
          map((host) => {
            const { channel } = free ?? new ScriptedPeer();
            free = undefined;
            return new TcpmConnection(
              named(channel, host),
              { side: 'target', namesUser: false },
              { gather: false },
            );
          }),
        );
      const listener = {
        name: 'bsdtcp',
        accept,
        ...(maxConnections === undefined ? {} : { maxConnections }),
      };
      const events = serve(listener, { noop: () => service }, { stop });
      return {
        target: first.received(1),
        events: events.pipe(
          map(toldOfHost),
          filter((words) => !/admitted|replied/.test(words)),
        ),
      };
    },
  };
}

function named(channel: ScriptedPeer['channel'], host: string): ScriptedPeer['channel'] {
  return Object.assign(Object.create(channel) as ScriptedPeer['channel'], {
    peer: { driver: 'bsdtcp', host },
  });
}

function toldOfHost(event: ServiceEvent): string {
  const why =
    event.kind === 'disconnected' && event.error instanceof AmandaError
      ? `: ${event.error.code}`
      : '';
  return `${event.peer.host ?? ''}: ${inWords(event)}${why}`;
}

interface Asked {
  readonly asks1: Observable<Uint8Array>;
  readonly asks2: Observable<Uint8Array>;
  readonly service: Observable<ServiceReply>;
  readonly stop: Observable<string>;
}

/** A connection with two requests. */
function twice(options: ServeOptions = {}) {
  return {
    about: 'serveConnection',
    given: {
      asks1: handleLane(1, 'in', { hot: true }),
      asks2: handleLane(2, 'in', { hot: true }),
      service: userLane<ServiceReply>({ hot: true }),
      stop: userLane<string>({ hot: true }),
    },
    expected: { answers1: handleLane(1, 'out'), answers2: handleLane(2, 'out') },
    wire: ({ asks1, asks2, service, stop }: Asked, scope: PageScope) => {
      const { connection, peer } = pageConnection(scope, { side: 'target', namesUser: false });
      scope.ends.add(peer.send(1, asks1));
      scope.ends.add(peer.send(2, asks2));
      scope.ends.add(
        serveConnection(connection, { noop: () => service }, { ...options, stop }).subscribe(),
      );
      return { answers1: peer.received(1), answers2: peer.received(2) };
    },
  };
}

const legend = {
  ...packets,
  1: mark.value('a', 'a connection from host a'),
  2: mark.value('b', 'a connection from host b'),
  3: mark.value('c', 'a connection from host c'),
  S: mark.value('stop'),
  A: mark.value('a: connected'),
  B: mark.value('b: connected'),
  D: mark.value('c: connected'),
  e: mark.value('a: ended: completed'),
  x: mark.value('a: disconnected'),
  y: mark.value('b: disconnected'),
};

/** What a target does with its connections. */
export const pages = [
  page({
    ...listening(),
    title: 'Connections come and go',
    sentence:
      'A target emits an event when a connection comes, when it ends, and for each request on it.',
    picture: `
      arrivals   -1
      initiator  ---Q---K-|
      service    -----r
      stop       -
      target     ---K-R-C-|
      events     -A-----e-x
    `,
    legend,
  }),

  page({
    ...listening(),
    title: 'A stop lets what runs finish',
    sentence:
      'After stop no connection is accepted; idle connections are closed, others after their last request. Then serve completes.',
    picture: `
      arrivals    -12-----3
      arrivals ^  ^----!
      initiator   ---Q-------K|
      service     ---------r
      stop        -----S
      target      ---K-----R-(C|)
      events      -AB--y-----(ex|)
    `,
    legend,
  }),

  page({
    ...twice(),
    title: 'A request after a stop',
    sentence:
      'New requests are refused while others finish, and the connection is closed after the last of them.',
    picture: `
      asks1     -Q---------K
      answers1  -K-----R---(C|)
      asks2     -----q
      answers2  -----(NC)--|
      service   -------r
      stop      ---S
    `,
    legend: {
      ...legend,
      q: mark.packet('REQ', 'SERVICE noop\nOPTIONS two;\n'),
      N: mark.packet('NAK', 'ERROR amandad is being stopped and takes no new requests\n'),
    },
  }),

  page({
    ...twice({ maxRequests: 1 }),
    title: 'More requests at once than allowed',
    sentence: 'A request over the limit (maxRequests) is refused; those that run are not touched.',
    picture: `
      asks1     -Q---------K
      answers1  -K-----R---C
      asks2     -----q
      answers2  -----(NC)
      service   -------r
      stop      -
    `,
    legend: {
      ...legend,
      q: mark.packet('REQ', 'SERVICE noop\nOPTIONS two;\n'),
      N: mark.packet('NAK', 'ERROR more than 1 requests at once on one connection\n'),
    },
  }),

  page({
    ...listening(3),
    title: 'Too many connections',
    sentence:
      'Before there are too many, the oldest connection without an admitted request is ended, so that silent peers keep no others out.',
    picture: `
      arrivals   -12---3
      initiator  ---Q---
      service    -
      stop       -
      target     ---K
      events     -AB---(zD)
    `,
    legend: { ...legend, z: mark.value('b: disconnected: TOO_MANY_CONNECTIONS') },
  }),
];
