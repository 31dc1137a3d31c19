import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { NEVER, Subject, delayWhen, firstValueFrom, of, type Subscription } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { allowed } from '../../src/access/verdict.js';
import type { Connection } from '../../src/connection/connection.js';
import { bsdtcp, listenBsdtcp } from '../../src/drivers/bsdtcp.js';
import { connect } from '../../src/initiator/connect.js';
import { evictionThreshold } from '../../src/drivers/eviction-policy.js';
import { memory } from '../../src/drivers/memory.js';
import { request } from '../../src/exchange/request.js';
import { reply } from '../../src/exchange/service.js';
import { serve, type ServiceEvent } from '../../src/target/serve.js';

/** A target for so many connections; records what happens to them. */
function target(maxConnections: number | undefined) {
  const { driver, listener } = memory();
  const events: ServiceEvent[] = [];
  const services = {
    noop: () => of(reply({ lines: ['OPTIONS ;'] })),
    wait: () => NEVER,
    judged: Object.assign(() => NEVER, { check: () => NEVER }),
  };
  const serving = serve(
    { ...listener, ...(maxConnections === undefined ? {} : { maxConnections }) },
    services,
  ).subscribe((event) => events.push(event));
  const peers: { readonly peer: Subscription; end: string }[] = [];
  /** Connects a peer, which may send a request. */
  const join = async (asks?: 'noop' | 'wait' | 'judged' | 'unknown'): Promise<void> => {
    const one = { peer: NEVER.subscribe(), end: 'there' };
    peers.push(one);
    await new Promise<void>((resolve) => {
      const connected = (connection: Connection): void => {
        connection.ended.subscribe({
          error: () => (one.end = 'broken'),
          complete: () => (one.end = 'ended'),
        });
        if (asks !== undefined)
          of(connection)
            .pipe(request(asks))
            .subscribe({ next: () => undefined, error: () => undefined });
        resolve();
      };
      one.peer.add(connect(driver).subscribe({ next: connected, error: () => undefined }));
    });
  };
  const close = (): void => {
    for (const { peer } of peers) peer.unsubscribe();
    serving.unsubscribe();
  };
  const evictions = () =>
    events.filter((event) => event.kind === 'disconnected').map(({ error }) => error);
  return { driver, join, peers, evictions, close };
}

const tooMany = expect.objectContaining({ code: 'TOO_MANY_CONNECTIONS' }) as unknown;

describe('a target with too many unauthenticated connections', () => {
  test('ends the oldest one, and answers a request of a new peer', async () => {
    const { driver, join, evictions, peers, close } = target(8);
    for (let count = 0; count < 20; count += 1) await join();
    expect(evictions()).toEqual(Array<unknown>(16).fill(tooMany));
    expect(peers.map(({ end }) => end)).toEqual([
      ...Array<string>(16).fill('ended'),
      ...Array<string>(4).fill('there'),
    ]);
    await expect(firstValueFrom(connect(driver).pipe(request('noop')))).resolves.toMatchObject({
      kind: 'final',
    });
    close();
  });

  test('keeps those on which a request was admitted', async () => {
    const { join, evictions, peers, close } = target(8);
    await join('noop');
    await join('wait');
    for (let count = 0; count < 5; count += 1) await join();
    expect(peers.map(({ end }) => end)).toEqual([
      'there',
      'there',
      'ended',
      'ended',
      'ended',
      'there',
      'there',
    ]);
    expect(evictions()).toHaveLength(3);
    close();
  });

  test('ends one on which everything was refused, but not while a request is judged', async () => {
    const { join, peers, close } = target(4);
    await join('judged');
    await join('unknown');
    await join();
    await join();
    expect(peers.map(({ end }) => end)).toEqual(['there', 'ended', 'ended', 'there']);
    close();
  });

  test('ends those of the largest network, so that another host may be slow', async () => {
    const port = new Subject<number>();
    const listener = listenBsdtcp({
      host: '127.0.0.1',
      port: 0,
      maxConnections: 8,
      onListening: (number) => port.next(number),
    });
    const listening = firstValueFrom(port);
    const serving = serve(
      listener,
      { noop: () => of(reply({ lines: ['OPTIONS ;'] })) },
      { authorize: () => of(allowed) },
    ).subscribe();
    const driver = bsdtcp({ host: '127.0.0.1', port: await listening, reservedPorts: false });
    const asked = new Subject<void>();
    const slow = firstValueFrom(
      connect(driver).pipe(
        delayWhen(() => asked),
        request('noop'),
      ),
    );
    const sockets: Socket[] = [];
    for (let count = 0; count < 20; count += 1) {
      const socket = connectSocket({
        host: '127.0.0.1',
        port: await listening,
        localAddress: '127.0.0.2',
      }).on('error', () => undefined);
      sockets.push(socket);
      await once(socket, 'connect');
      if (count >= 3) await once(sockets[count - 3] ?? socket, 'close');
    }
    asked.next();
    await expect(slow).resolves.toMatchObject({ kind: 'final' });
    for (const socket of sockets) socket.destroy();
    serving.unsubscribe();
  });

  test('ends none when its listener has no bound', async () => {
    const { join, evictions, close } = target(undefined);
    for (let count = 0; count < 50; count += 1) await join();
    expect(evictions()).toEqual([]);
    close();
  });
});

test('half of the connections, and at most 512, are kept free for new peers', () => {
  expect([1, 2, 3, 8, 1_024, 20_000].map(evictionThreshold)).toEqual([1, 1, 2, 4, 512, 19_488]);
});
