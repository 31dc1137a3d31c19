import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, connect as connectTo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Subscription } from 'rxjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { main } from '../../../src/cli/rx-amanda/main.js';
import { bsdtcp, listenBsdtcp } from '../../../src/drivers/bsdtcp.js';
import { allowed } from '../../../src/access/verdict.js';
import { serve } from '../../../src/target/serve.js';
import { crc32c } from '../../../src/wire/crc32c.js';
import { encodeDumpHeader } from '../../../src/wire/dumpfile.js';
import { fakeIndexServer, fakeTapeServer } from '../../initiator/recover/fake-server.js';
import { writtenTar } from '../../support/tar-blocks.js';
import { fakeEnvironment } from '../fake-environment.js';

const folder = mkdtempSync(join(tmpdir(), 'rx-amanda-cut-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const IMAGE = writtenTar({ name: './', type: '5' }, { name: './one', data: 'one' });
const header = encodeDumpHeader({
  type: 'FILE',
  datestamp: '20261101010000',
  host: 'db1',
  disk: '/home',
  level: 0,
  program: '/bin/tar',
  clientChecksum: { crc: crc32c(IMAGE), bytes: IMAGE.length },
});

/** The server, and a relay before it that counts what it sends, and cuts one connection. */
async function startServer(relayed: { cut: number; at: number; received: number[] }) {
  const host = '127.0.0.1';
  const index = fakeIndexServer();
  const amidxtaped = fakeTapeServer({ header: header.subarray(0, header.indexOf(0)), data: IMAGE });
  let serving: Subscription | undefined;
  const port = await new Promise<number>((resolve) => {
    const listener = listenBsdtcp({ host, port: 0, onListening: resolve });
    serving = serve(
      listener,
      { amindexd: index, amidxtaped },
      { authorize: () => allowed },
    ).subscribe();
  });
  const relay = createServer((client) => {
    const connection = relayed.received.push(0) - 1;
    const left = (): number =>
      connection === relayed.cut ? relayed.at - (relayed.received[connection] ?? 0) : Infinity;
    const server = connectTo(port, host);
    client.pipe(server);
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
    server.on('end', () => client.end());
    server.on('data', (chunk) => {
      client.write(chunk.subarray(0, Math.max(0, left())));
      relayed.received[connection] = (relayed.received[connection] ?? 0) + chunk.length;
      if (left() <= 0) client.end(() => server.destroy());
    });
  }).listen(0, host);
  await once(relay, 'listening');
  return {
    driver: () =>
      bsdtcp({ host, port: (relay.address() as AddressInfo).port, reservedPorts: false }),
    close: () => {
      relay.close();
      serving?.unsubscribe();
    },
  };
}

const relayed = { cut: -1, at: 0, received: [] as number[] };
let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  server = await startServer(relayed);
});
afterAll(() => {
  server.close();
});

/** Restores over connections of which one is cut. Returns the bytes that each has received. */
async function restore(cut: number, at: number) {
  const received: number[] = [];
  Object.assign(relayed, { cut, at, received });
  const fake = fakeEnvironment();
  const into = join(folder, 'into');
  const words = ['--date', '2026-11-01', '--disk', '/home', '--json', 'get', '/', '-C', into];
  const code = await main(['recover', 'server', '--config', 'daily', ...words], {
    ...fake.environment,
    driver: server.driver,
  });
  return { code, out: fake.out(), received };
}

it('a whole restore is the measure', async () => {
  const { code, out, received } = await restore(-1, 0);
  expect(code, out).toBe(0);
  expect(received).toHaveLength(2);
  rmSync(join(folder, 'into'), { recursive: true });
});

it.each([
  [0, 'the index'],
  [1, 'the volumes'],
])(
  'a cut in connection %i, to %s, is an error, and leaves nothing',
  async (cut) => {
    const { received } = await restore(-1, 0);
    rmSync(join(folder, 'into'), { recursive: true });
    const all = received[cut] ?? 0;
    expect(all).toBeGreaterThan(400);
    const whole: number[] = [];
    for (let at = 1; at < all; at += cut === 0 || at > all - 40 ? 1 : 7) {
      const { code, out } = await restore(cut, at);
      if (code === 0) {
        whole.push(at);
        rmSync(join(folder, 'into'), { recursive: true });
        continue;
      }
      expect(JSON.parse(out)).toMatchObject({
        error: { code: expect.stringMatching(/^(?!UNEXPECTED)[A-Z_]+$/) as string },
      });
    }
    // Only the end of the conversation may be missing from a whole restore.
    expect(whole.every((at) => at > all - 60)).toBe(true);
    await expect.poll(() => readdirSync(folder)).toEqual([]);
  },
  60_000,
);
