import { NEVER, Subject } from 'rxjs';
import { expect, test } from 'vitest';
import type { Channel } from '../../src/transport/channel.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import { encodeFrame } from '../../src/wire/frame.js';

/** A connection that receives what `arriving` brings. */
function receiving(receiveBudget = 1_048_576) {
  const arriving = new Subject<Uint8Array>();
  const channel: Channel = {
    peer: { driver: 'memory' },
    bytes: arriving,
    drain: NEVER,
    isIdle: true,
    framesApart: false,
    write: () => true,
    pause: () => undefined,
    resume: () => undefined,
    close: () => undefined,
    destroy: () => undefined,
  };
  const connection = new TcpmConnection(
    channel,
    { side: 'initiator', user: undefined },
    { gather: false, receiveBudget },
  );
  return { connection, arriving };
}

/** So many frames of one byte, in one chunk. */
function frames(count: number): Uint8Array {
  return Buffer.concat(
    Array.from({ length: count }, (_, index) =>
      encodeFrame({ handle: 7, payload: Uint8Array.of(index) }),
    ),
  );
}

test('an observer sees each frame of a connection, in both directions', () => {
  const { connection, arriving } = receiving();
  const seen: string[] = [];
  const leave = connection.observe((direction, handle, { length }) =>
    seen.push(`${direction} ${handle} ${length}`),
  );
  arriving.next(frames(2));
  connection.stream(7).next(Uint8Array.of(1, 2));
  connection.stream(7).complete();
  leave();
  arriving.next(frames(1));
  expect(seen).toEqual(['received 7 1', 'received 7 1', 'sent 7 2', 'sent 7 0']);
});

test('an observer sees a whole read, also if the budget is used up in the middle of it', () => {
  const { connection, arriving } = receiving(2_048);
  let seen = 0;
  connection.observe(() => (seen += 1));
  arriving.next(frames(10));
  expect(seen).toBe(10);
});
