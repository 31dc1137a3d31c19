import { NEVER, Subject } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { Channel } from '../../src/transport/channel.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import { recordConnection } from '../../src/diagram/record.js';
import { encodeFrame } from '../../src/wire/frame.js';

/** A connection that receives what `arriving` brings. */
function receiving(receiveBudget = 1_048_576) {
  const arriving = new Subject<Uint8Array>();
  const channel: Channel = {
    peer: { driver: 'memory' },
    bytes: arriving,
    drain: NEVER,
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

describe('whoever looks on', () => {
  test('is told which frames came in one read', () => {
    const { connection, arriving } = receiving();
    const seen: string[] = [];
    connection.look((direction, handle, { length }, together) =>
      seen.push(`${direction} ${handle} ${length}${together ? ' together' : ''}`),
    );
    arriving.next(frames(3));
    connection.stream(7).next(Uint8Array.of(1, 2));
    arriving.next(frames(2));
    connection.stream(7).complete();
    expect(seen).toEqual([
      'received 7 1',
      'received 7 1 together',
      'received 7 1 together',
      'sent 7 2',
      'received 7 1',
      'received 7 1 together',
      'sent 7 0',
    ]);
  });

  test('is told that what had to wait for the budget came apart', () => {
    const { connection, arriving } = receiving(2_048);
    const seen: boolean[] = [];
    connection.look((_direction, _handle, _payload, together) => seen.push(together));
    arriving.next(frames(10));
    const before = seen.length;
    expect(before).toBeLessThan(10);
    connection.stream(7).subscribe();
    expect(seen).toHaveLength(10);
    expect([seen[0], seen[before]]).toEqual([false, false]);
    expect(seen.slice(1, before)).not.toContain(false);
  });
});

test('a recording looks at the clock once for what came in one read, and its time never goes back', () => {
  const { connection, arriving } = receiving();
  let time = 0;
  let looks = 0;
  const now = (): number => {
    looks += 1;
    return time;
  };
  const times: number[] = [];
  const recording = recordConnection(connection, { now, joins: false }).subscribe((change) => {
    if (change.kind === 'event') times.push(change.event.at);
  });
  const before = looks;
  // Whoever reads takes a millisecond for each frame, and answers the second one.
  let count = 0;
  connection.stream(7).subscribe(() => {
    time += 1;
    count += 1;
    if (count === 2) connection.stream(8).next(Uint8Array.of(1));
  });
  arriving.next(frames(4));
  expect(looks - before).toBe(2);
  arriving.next(frames(1));
  expect(looks - before).toBe(3);
  expect(times).toEqual([0, 0, 2, 2, 2, 4]);
  recording.unsubscribe();
});
