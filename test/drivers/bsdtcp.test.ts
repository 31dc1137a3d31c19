import { createServer, connect as connectSocket, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import { bsdtcp, listenBsdtcp } from '../../src/drivers/bsdtcp.js';
import { connect } from '../../src/initiator/connect.js';
import { local } from '../../src/drivers/local.js';
import { request } from '../../src/exchange/request.js';
import { notRoot } from '../support/skips.js';

const host = '127.0.0.1';
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server that greets with a text, and notes the source ports of its clients. */
async function greeter(text: string): Promise<{ port: number; sources: number[] }> {
  const sources: number[] = [];
  const server = createServer((socket) => {
    sources.push(socket.remotePort ?? 0);
    socket.on('error', () => undefined).end(text);
  });
  servers.push(server);
  server.listen(0, host);
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, sources };
}

describe('bsdtcp', () => {
  test('says that nothing listens, after its tries', async () => {
    const { port } = await greeter('');
    servers.pop()?.close();
    const attempt = firstValueFrom(
      connect(bsdtcp({ host, port, user: 'u', reservedPorts: false }), {
        connectTries: 2,
        connectWait: 1,
      }),
    );
    await expect(attempt).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
      message: expect.stringMatching(/nothing listens there.*amandad/) as string,
    });
  });

  test('says that a host is not known', async () => {
    const attempt = firstValueFrom(
      connect(bsdtcp({ host: 'no-such-host.invalid', user: 'u', reservedPorts: false }), {
        connectTries: 1,
      }),
    );
    await expect(attempt).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
      message: expect.stringMatching(/no-such-host.invalid is not known/) as string,
    });
  });

  test('says where to look when the peer closes at once', async () => {
    const { port } = await greeter('');
    const attempt = lastValueFrom(
      connect(bsdtcp({ host, port, user: 'u', reservedPorts: false })).pipe(request('noop')),
    );
    await expect(attempt).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      message: expect.stringMatching(/before it answered anything; .*only_from/) as string,
    });
  });

  test('says what it met on a port of another program', async () => {
    const { port } = await greeter('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n');
    const attempt = lastValueFrom(
      connect(bsdtcp({ host, port, user: 'u', reservedPorts: false })).pipe(request('noop')),
    );
    await expect(attempt).rejects.toMatchObject({
      code: 'TEXT_IN_CHANNEL',
      message: expect.stringMatching(/SSH server/) as string,
    });
  });

  test('comes from a reserved port, and takes another one when it is busy', async (context) => {
    const reason = notRoot();
    if (reason !== undefined) context.skip(reason);
    const busy = createServer();
    servers.push(busy);
    busy.listen(1015, host);
    await once(busy, 'listening');
    const range = { first: 1015, last: 1016 };
    for (let tries = 0; tries < 4; tries += 1) {
      // Each time another port: the same pair of ports is not to be had again for a while.
      const { port, sources } = await greeter('');
      await connected(bsdtcp({ host, port, user: 'u', reservedPorts: range }));
      expect(sources).toEqual([1016]);
    }
    const { port } = await greeter('');
    const none = bsdtcp({ host, port, user: 'u', reservedPorts: { first: 1015, last: 1015 } });
    await expect(connected(none)).rejects.toMatchObject({
      code: 'NO_RESERVED_PORT',
      message: expect.stringMatching(/all of the range/) as string,
    });
  });

  test.each([0, 65_536, 1.5])('refuses the port %d', (port) => {
    expect(() => bsdtcp({ host, port })).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }));
  });

  test('a listener says that its address is taken', async () => {
    const { port } = await greeter('');
    await expect(firstValueFrom(listenBsdtcp({ host, port }).accept({}))).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
    });
  });

  test('a listener turns away what is over its limit', async () => {
    const port = await new Promise<number>((resolve) => {
      const accepting = listenBsdtcp({ host, port: 0, maxConnections: 1, onListening: resolve })
        .accept({})
        .subscribe();
      servers.push({ close: () => accepting.unsubscribe() } as unknown as Server);
    });
    const first = connectSocket({ host, port });
    await once(first, 'connect');
    const second = connectSocket({ host, port });
    await once(second, 'close');
    expect(first.destroyed).toBe(false);
    first.destroy();
  });
});

function connected(driver: ReturnType<typeof bsdtcp>): Promise<unknown> {
  return firstValueFrom(connect(driver, { connectTries: 1 }));
}

describe('local', () => {
  test('refuses a host that is not this one', async () => {
    const attempt = firstValueFrom(connect(local({ host: '192.0.2.77' }), { connectTries: 1 }));
    await expect(attempt).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
      message: expect.stringMatching(/192.0.2.77 is not this host/) as string,
    });
  });

  test('says that amandad is missing', async () => {
    const attempt = firstValueFrom(connect(local({ amandadPath: '/nonexistent/amandad' })));
    await expect(attempt).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringMatching(/\/nonexistent\/amandad.*ENOENT/) as string,
    });
  });

  test('says how amandad ended, in its own words', async () => {
    const attempt = lastValueFrom(connect(local({ amandadPath: '/bin/ls' })).pipe(request('noop')));
    await expect(attempt).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringMatching(
        /\/bin\/ls ended with exit code 2, saying: .*invalid option/,
      ) as string,
    });
  });
});
