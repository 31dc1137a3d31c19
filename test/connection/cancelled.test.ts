import { NEVER } from 'rxjs';
import { expect, test } from 'vitest';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import type { Channel } from '../../src/transport/channel.js';
import { encodeFrame } from '../../src/wire/frame.js';

test('a cancelled connection has sent its streams’ last frames before the channel ends', () => {
  const events: string[] = [];
  const channel: Channel = {
    peer: { driver: 'memory' },
    bytes: NEVER,
    drain: NEVER,
    isIdle: true,
    framesApart: false,
    write: (parts) => {
      events.push(Buffer.concat(parts).toString('hex'));
      return true;
    },
    pause: () => undefined,
    resume: () => undefined,
    close: () => events.push('close'),
    destroy: () => events.push('destroy'),
  };
  const connection = new TcpmConnection(
    channel,
    { side: 'initiator', user: undefined },
    { gather: true },
  );
  const control = connection.stream(7);
  control.next(Buffer.from('END\r\n'));
  control.complete();
  connection.dispose();
  const frames = [Buffer.from('END\r\n'), new Uint8Array(0)].map((payload) =>
    encodeFrame({ handle: 7, payload }),
  );
  expect(events).toEqual([Buffer.concat(frames).toString('hex'), 'destroy']);
});
