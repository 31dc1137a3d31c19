import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { resetSocket } from '../../src/transport/reset-socket.js';
import { currentResources, noLeaks } from '../../src/testing/compliance/resource-leaks.js';

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

/** Both ends of a TCP connection, and how it ends at the far one. */
async function pair() {
  const before = currentResources();
  const server = createServer({ allowHalfOpen: true });
  open.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    allowHalfOpen: true,
  });
  near.on('error', () => undefined);
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [
    [Socket],
    unknown,
  ];
  server.close();
  const end = new Promise<string>((resolve) => {
    far
      .on('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? ''))
      .on('end', () => resolve('end'));
  });
  return { near, far, end, before };
}

test('a socket that is reset while its FIN leaves is closed, and leaves nothing behind', async () => {
  const { near, far, before } = await pair();
  near.end();
  resetSocket(near);
  await once(near, 'close');
  far.destroy();
  await noLeaks(before, 2_000);
});

test('a socket that is reset with nothing to be sent is reset at once', async () => {
  const { near, far, end, before } = await pair();
  resetSocket(near);
  far.resume();
  expect(await end).toBe('ECONNRESET');
  await noLeaks(before, 2_000);
});
