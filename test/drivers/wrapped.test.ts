import { randomBytes } from 'node:crypto';
import { createServer, connect as connectSocket, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { connect } from '../../src/initiator/connect.js';
import type { Driver } from '../../src/drivers/driver.js';
import { memoryChannels } from '../../src/drivers/memory.js';
import { wrapPayloads } from '../../src/drivers/wrapped-channel.js';
import { request } from '../../src/exchange/request.js';
import { serveCompliance } from '../support/compliance.js';
import { loadWrappedDriver } from '../support/wrapped-driver.js';

// The example is a user's program: it knows the package by its name, here the one under test.
vi.mock('rx-amanda', () => import('../../src/index.js'));
vi.mock('rx-amanda/driver', () => import('../../src/driver.js'));

const host = '127.0.0.1';
const key = randomBytes(32);

describe('a wrapped payload', () => {
  /** What passes between an initiator and a target, which may be changed on its way. */
  async function watched(
    change: (chunk: Buffer) => Buffer,
  ): Promise<{ driver: Driver; seen: () => string }> {
    const { sealed, listenSealed } = await loadWrappedDriver();
    const { port, stop } = await serveCompliance((onListening) =>
      listenSealed({ port: 0, key, onListening }),
    );
    const seen: Buffer[] = [];
    const sockets: Socket[] = [];
    const relay = createServer((near) => {
      const far = connectSocket({ host, port });
      sockets.push(near, far);
      for (const socket of [near, far]) socket.on('error', () => undefined);
      far.pipe(near);
      near.on('data', (chunk) => {
        seen.push(chunk);
        far.write(change(chunk));
      });
      near.on('end', () => far.end());
    }).listen(0, host);
    await once(relay, 'listening');
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      relay.close();
      stop();
    });
    return {
      driver: sealed({ host, port: (relay.address() as AddressInfo).port, key }),
      seen: () => Buffer.concat(seen).toString('latin1'),
    };
  }

  test('cannot be read on its way, where its length and handle can', async () => {
    const { driver, seen } = await watched((chunk) => chunk);
    expect(
      (
        await lastValueFrom(
          connect(driver).pipe(request({ service: 'noop', options: { hostname: 'db1' } })),
        )
      ).text,
    ).toBe('OPTIONS features=ff;\n');
    expect(seen()).not.toContain('SERVICE');
    // type, "SERVICE noop", "OPTIONS hostname=db1;", two newlines, NUL: 37 bytes; and 16 of the
    // tag.
    expect(Buffer.from(seen().slice(0, 8), 'latin1').toString('hex')).toBe('0000003500000001');
  });

  test('that was changed on its way ends the connection', async () => {
    const { driver } = await watched((chunk) => {
      chunk.writeUInt8(chunk.readUInt8(20) ^ 1, 20);
      return chunk;
    });
    await expect(lastValueFrom(connect(driver).pipe(request('noop')))).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
    });
  });
});

describe('wrapPayloads', () => {
  const double = (payload: Uint8Array): Uint8Array => Buffer.concat([payload, payload]);
  const half = (wrapped: Uint8Array): Uint8Array => wrapped.subarray(0, wrapped.length / 2);

  function received(unwrap: (wrapped: Uint8Array) => Uint8Array, hex: string): Promise<Uint8Array> {
    const [near, far] = memoryChannels();
    const arrived = firstValueFrom(wrapPayloads(near, { wrap: double, unwrap }).bytes);
    far.write([Buffer.from(hex, 'hex')]);
    return arrived;
  }

  test('wraps payloads, cut anywhere, and leaves a close as it is', () => {
    const [near, far] = memoryChannels();
    const sent: number[] = [];
    far.bytes.subscribe((chunk) => sent.push(...chunk));
    const wrapped = wrapPayloads(near, { wrap: double, unwrap: half });
    for (const part of ['000000', '02000000076162', '00000000000000', '07'])
      wrapped.write([Buffer.from(part, 'hex')]);
    expect(Buffer.from(sent).toString('hex')).toBe('000000040000000761626162' + '0000000000000007');
  });

  test('tells an end inside a frame from one after it', async () => {
    const ends = [
      '00000004000000076162',
      '0000000400000007616261620000',
      '000000040000000761626162',
    ].map(async (hex) => {
      const [near, far] = memoryChannels();
      const end = lastValueFrom(wrapPayloads(near, { wrap: double, unwrap: half }).bytes, {
        defaultValue: undefined,
      });
      far.write([Buffer.from(hex, 'hex')]);
      far.close();
      return await end.then(
        () => 'whole',
        (error: unknown) => error,
      );
    });
    const cut = {
      code: 'CONNECTION_LOST',
      message: expect.stringMatching(
        /^target \(memory\) ended the connection inside a frame\. /,
      ) as string,
    };
    expect(await Promise.all(ends)).toMatchObject([cut, cut, 'whole']);
  });

  test('unwraps', async () => {
    expect(Buffer.from(await received(half, '000000040000000761626162')).toString('hex')).toBe(
      '00000002000000076162',
    );
  });

  test.each([
    [
      'what cannot be unwrapped',
      () => {
        throw new Error('the tag is wrong');
      },
      /cannot be unwrapped: .*the tag is wrong/,
    ],
    ['what unwraps to the end of a handle', () => new Uint8Array(), /must not be empty/],
  ])('errors for %s', async (_what, unwrap, message) => {
    await expect(received(unwrap, '000000040000000761626162')).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      message: expect.stringMatching(message) as string,
    });
  });
});
