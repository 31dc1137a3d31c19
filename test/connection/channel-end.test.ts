import { NEVER, Subject, concatMap, lastValueFrom, of, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { Channel } from '../../src/transport/channel.js';
import { pump } from '../../src/connection/pump.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import { AmandaError } from '../../src/wire/errors.js';
import { encodeFrame } from '../../src/wire/frame.js';

const lost = new AmandaError('CONNECTION_LOST', 'The channel was cut.');
const FRAMES = 40;
/** More than the receive budget below holds, in one chunk: what is over waits undecoded. */
const chunk = Buffer.concat(
  Array.from({ length: FRAMES }, (_, count) =>
    encodeFrame({ handle: 7, payload: Buffer.from([count]) }),
  ),
);
const close = encodeFrame({ handle: 7, payload: new Uint8Array(0) });

/** A connection over a channel that takes one write and then no more. */
function saturated(side: 'initiator' | 'target') {
  const arriving = new Subject<Uint8Array>();
  const channel: Channel = {
    peer: { driver: 'memory' },
    bytes: arriving,
    drain: NEVER,
    isIdle: true,
    framesApart: false,
    write: () => false,
    pause: () => undefined,
    resume: () => undefined,
    close: () => undefined,
    destroy: () => undefined,
  };
  const role =
    side === 'initiator'
      ? ({ side, user: undefined } as const)
      : ({ side, namesUser: false } as const);
  const connection = new TcpmConnection(channel, role, { gather: false, receiveBudget: 2_048 });
  return { connection, arriving };
}

describe.each(['initiator', 'target'] as const)(
  'a channel of the %s that ends while more has come than the budget holds',
  (side) => {
    test.each([
      ['breaks', (arriving: Subject<Uint8Array>) => arriving.error(lost), /^CONNECTION_LOST/],
      ['is closed', (arriving: Subject<Uint8Array>) => arriving.complete(), /^ended/],
    ])(
      'ends the connection, also where the reader waits to send, when it %s',
      async (_how, ends, expected) => {
        const { connection, arriving } = saturated(side);
        const stream = connection.stream(7);
        const pumping = pump(stream, stream).subscribe();
        arriving.next(chunk);
        expect(stream.sent).toBeLessThan(FRAMES);
        ends(arriving);
        const ended = lastValueFrom(connection.ended, { defaultValue: 'ended' }).catch(
          (error: unknown) => (error instanceof AmandaError ? error.code : error),
        );
        expect(
          await Promise.race([ended, new Promise((late) => setTimeout(late, 1_000, 'still open'))]),
        ).toMatch(expected);
        pumping.unsubscribe();
      },
    );

    test('keeps all that had come for a reader that comes later', async () => {
      const { connection, arriving } = saturated(side);
      const stream = connection.stream(7);
      arriving.next(Buffer.concat([chunk, close]));
      arriving.error(lost);
      const chunks = await lastValueFrom(stream.pipe(toArray()));
      expect(Buffer.concat(chunks)).toEqual(
        Buffer.from(Array.from({ length: FRAMES }, (_, count) => count)),
      );
    });

    test('keeps what had come of a stream that is not whole, and errors after it', async () => {
      const { connection, arriving } = saturated(side);
      const stream = connection.stream(7);
      arriving.next(chunk);
      arriving.error(lost);
      let bytes = 0;
      const reading = lastValueFrom(stream.pipe(concatMap((part) => of((bytes += part.length)))));
      await expect(reading).rejects.toMatchObject({ code: 'CONNECTION_LOST', handle: 7 });
      expect(bytes).toBe(FRAMES);
    });
  },
);
