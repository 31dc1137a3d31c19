import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectSocket, createServer, type AddressInfo, type Socket } from 'node:net';
import { of } from 'rxjs';
import { expect, it, onTestFinished } from 'vitest';
import { allowed, refused } from '../../src/access/verdict.js';
import { driverFor } from '../../src/cli/rx-amanda/driver-for.js';
import { main } from '../../src/cli/rx-amanda/main.js';
import { listenBsdtcp } from '../../src/drivers/bsdtcp.js';
import { reply } from '../../src/exchange/service.js';
import { serve, type ServeOptions } from '../../src/target/serve.js';
import { describeUnless, notRoot } from '../support/skips.js';
import { fakeEnvironment } from './fake-environment.js';

const services = {
  noop: () => of(reply({ lines: ['OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;'] })),
  selfcheck: () => of(reply({ lines: ['OK /home'] })),
};

/** A target on every address of the loopback. Resolves to its port. */
function target(authorize: Exclude<ServeOptions['authorize'], undefined>): Promise<number> {
  return new Promise((resolve, reject) => {
    const listener = listenBsdtcp({
      port: 0,
      host: '0.0.0.0',
      onListening: resolve,
    });
    const serving = serve(listener, services, { authorize }).subscribe({ error: reject });
    onTestFinished(() => {
      serving.unsubscribe();
    });
  });
}

/** Takes connections and never says a word. */
async function mute(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  server.listen(0, '0.0.0.0');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A port whose packets are dropped: its program is stopped, and its queue is full. */
async function dead(): Promise<number> {
  const child: ChildProcess = fork(
    new URL('../support/full-listener.mjs', import.meta.url).pathname,
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  const [port] = (await once(child, 'message')) as [number];
  child.kill('SIGSTOP');
  const fillers = [0, 1].map(() => connectSocket({ port, host: '127.0.0.1' }));
  onTestFinished(() => {
    for (const socket of fillers) socket.destroy();
  });
  await Promise.all(fillers.map((socket) => once(socket, 'connect')));
  return port;
}

describeUnless(notRoot(), 'rx-amanda check of 300 hosts', () => {
  it('takes no longer than its slowest host, and ends with one table and code 3', async () => {
    const [alive, silent, gone, refusing] = await Promise.all([
      target(() => of(allowed)),
      mute(),
      dead(),
      target(() => of(refused('access not allowed'))),
    ]);
    const places = (port: number, net: number, number: number): string[] =>
      Array.from({ length: number }, (_, index) => `127.${net}.0.${index + 1}:${port}`);
    const hosts = [
      ...places(gone, 1, 3),
      ...places(silent, 2, 3),
      ...places(alive, 3, 145),
      ...places(refusing, 4, 3),
      ...places(alive, 5, 146),
    ];
    expect(hosts).toHaveLength(300);
    const fake = fakeEnvironment();
    const started = performance.now();
    const words = ['check', '--no-config', '--timeout', '3', '--json', ...hosts];
    const code = await main(words, { ...fake.environment, driver: driverFor });
    const elapsed = performance.now() - started;
    const rows = fake
      .out()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string; host?: string; milliseconds: number });
    expect(code).toBe(3);
    expect(rows.at(-1)).toMatchObject({
      kind: 'summary',
      fine: 291,
      refused: 3,
      noAnswer: 6,
      exitCode: 3,
    });
    const ends = rows.filter(({ kind }) => kind === 'host' || kind === 'failed');
    expect(ends.map(({ host }) => host).toSorted()).toEqual(hosts.toSorted());
    const slowest = Math.max(...ends.map(({ milliseconds }) => milliseconds));
    expect(slowest).toBeGreaterThan(2_900);
    // The others need some computing, but no second timeout.
    expect(elapsed).toBeLessThan(slowest + 2_900);
  }, 60_000);
});
