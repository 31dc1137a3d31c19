import type { Observable } from 'rxjs';
import {
  mark,
  page,
  pageConnection,
  type PageScope,
  streamLane,
  userLane,
} from '../../src/testing/index.js';

interface Given {
  readonly user: Observable<Uint8Array>;
  readonly peer: Observable<boolean>;
}

/**
 * A stream on which a user sends, to a peer that reads or does not; the channel between them takes
 * 64 KiB.
 */
function sending(sendBudget: number) {
  return {
    about: 'Stream',
    given: { user: userLane<Uint8Array>(), peer: userLane<boolean>() },
    expected: {
      ready: userLane<boolean>(),
      sent: streamLane(7, 'out'),
      seven: streamLane(7, 'in'),
    },
    wire: (given: Given, scope: PageScope) => {
      const { connection, peer } = pageConnection(
        scope,
        { side: 'initiator', user: undefined },
        { sendBudget },
      );
      const seven = connection.stream(7);
      scope.ends.add(given.peer.subscribe((on) => peer.setReading(on)));
      scope.ends.add(given.user.subscribe((bytes) => seven.next(bytes)));
      return { ready: seven.ready, sent: peer.received(7), seven };
    },
  };
}

/**
 * Two streams with more to send than the channel takes, to a peer that takes one frame each time it
 * is told to read.
 */
function turns() {
  return {
    about: 'Stream',
    given: { reads: userLane<boolean>() },
    expected: { seven: streamLane(7, 'out'), eight: streamLane(8, 'out') },
    wire: ({ reads }: { readonly reads: Observable<boolean> }, scope: PageScope) => {
      const { connection, peer } = pageConnection(scope, { side: 'initiator', user: undefined });
      const seven = peer.received(7);
      const eight = peer.received(8);
      scope.ends.add(peer.frames.subscribe(() => peer.setReading(false)));
      scope.ends.add(reads.subscribe((on) => peer.setReading(on)));
      peer.setReading(false);
      for (const stream of [connection.stream(7), connection.stream(8)]) {
        const fill = (): void => {
          while (stream.isReady) stream.next(legend.b.value);
        };
        scope.ends.add(stream.ready.subscribe(fill));
      }
      return { seven, eight };
    },
  };
}

const legend = {
  b: mark.bulk(32_768),
  x: mark.chunk('x'),
  n: mark.value(false, 'no'),
  y: mark.value(true, 'yes'),
};

/** Sent bytes wait for a slow peer, up to a limit. */
export const pages = [
  page({
    ...sending(100_000),
    title: 'A channel that is full',
    sentence:
      'ready says when the channel takes no more. Bytes that are sent anyway wait, in order, until the peer reads again.',
    picture: `
      peer   -n------y
      user   ---bb-x
      ready  y---n---y
      sent   --------(bbx)
      seven  -
    `,
    legend,
  }),

  page({
    ...sending(60_000),
    title: 'Over the send budget',
    sentence:
      'A sender that ignores ready ends the connection: memory is bounded in this direction, too.',
    picture: `
      peer   -n
      user   ---bb-b-b
      ready  y---n---|
      sent   -
      seven  --------#
    `,
    legend: { ...legend, '#': mark.failure('SEND_BUDGET') },
  }),

  page({
    ...turns(),
    title: 'Streams take turns',
    sentence:
      'The stream that filled the channel comes last when there is room again. So no stream waits for the end of another.',
    picture: `
      reads  --y-y-y-y-y-y-y-y
      seven  --b-b-----b-b
      eight  ------b-b-----b-b
    `,
    legend,
  }),
];
