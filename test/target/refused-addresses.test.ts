import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { Subscription, lastValueFrom, of } from 'rxjs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { allowed, refused } from '../../src/access/verdict.js';
import type { Connection } from '../../src/connection/connection.js';
import { admissionLimits } from '../../src/drivers/admission-limits.js';
import { bsdtcp, listenBsdtcp } from '../../src/drivers/bsdtcp.js';
import { request } from '../../src/exchange/request.js';
import { reply } from '../../src/exchange/service.js';
import { connect } from '../../src/initiator/connect.js';
import { serve, type ServiceEvent } from '../../src/target/serve.js';

const host = '127.0.0.1';
const MOST = 8;
const { freeRefusals } = admissionLimits;

let port: number;
let target: Subscription;
let events: ServiceEvent[];
let peers: Subscription;
beforeEach(async () => {
  events = [];
  peers = new Subscription();
  port = await new Promise<number>((resolve, reject) => {
    target = serve(
      listenBsdtcp({ host, port: 0, maxConnections: MOST, onListening: resolve }),
      { noop: () => of(reply({ lines: ['OPTIONS ;'] })) },
      { authorize: ({ user }) => of(user === 'honest' ? allowed : refused('no')) },
    ).subscribe({ next: (event) => events.push(event), error: reject });
  });
});
afterEach(() => {
  peers.unsubscribe();
  target.unsubscribe();
});

function open(user: string): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const connections = connect(bsdtcp({ host, port, user, reservedPorts: false }));
    peers.add(connections.subscribe({ next: resolve, error: reject }));
  });
}

const noop = (connection: Connection) => lastValueFrom(of(connection).pipe(request('noop')));

/** Has a stranger refused more often than is free. */
async function refuseOften(): Promise<void> {
  const stranger = connectSocket({ host, port }).on('error', () => undefined);
  await once(stranger, 'connect');
  // Sixteen at a time; the last ones wait.
  for (let sent = 0; sent < freeRefusals + 12; sent += 1) {
    stranger.write(requestOf('mallory', sent + 10));
    if (sent % 10 === 0) await expect.poll(refusals, { interval: 1 }).toBe(sent + 1);
  }
  await expect.poll(refusals).toBe(freeRefusals + 12);
  stranger.destroy();
}

function refusals(): number {
  return events.filter(({ kind }) => kind === 'refused').length;
}

function requestOf(user: string, handle: number): Buffer {
  return packetOf(0, `SECURITY USER ${user}\nSERVICE noop\nOPTIONS ;\n`, handle);
}

function packetOf(type: number, body: string, handle: number): Buffer {
  const packet = Buffer.concat([Buffer.of(type), Buffer.from(`${body}\0`)]);
  const header = Buffer.alloc(8);
  header.writeUInt32BE(packet.length, 0);
  header.writeUInt32BE(handle, 4);
  return Buffer.concat([header, packet]);
}

test('a stranger refused too often waits, and an honest peer of its address does not', async () => {
  await refuseOften();
  const [stranger, honest] = await Promise.all([open('mallory'), open('honest')]);
  const order: string[] = [];
  const refusal = noop(stranger).catch(() => order.push('refused'));
  await noop(honest).then(() => order.push('answered'));
  await refusal;
  expect(order).toEqual(['answered', 'refused']);
});

test('a packet that is no request is refused like a request', async () => {
  const stranger = connectSocket({ host, port }).on('error', () => undefined);
  await once(stranger, 'connect');
  const ignored = (): number =>
    events.filter((event) => event.kind === 'ended' && event.outcome === 'ignored').length;
  for (let sent = 0; sent < freeRefusals + 12; sent += 1) {
    stranger.write(packetOf(3, '', sent + 10));
    if (sent % 10 === 0) await expect.poll(ignored, { interval: 1 }).toBe(sent + 1);
  }
  await expect.poll(ignored).toBe(freeRefusals + 12);
  stranger.destroy();

  const late = connectSocket({ host, port }).on('error', () => undefined);
  const honest = await open('honest');
  const order: string[] = [];
  const closed = once(late.resume(), 'data').then(() => order.push('closed'));
  late.write(packetOf(3, '', 1));
  await noop(honest).then(() => order.push('answered'));
  await closed;
  expect(order).toEqual(['answered', 'closed']);
  late.destroy();
});

test('a request after such a packet on the same handle is not answered meanwhile', async () => {
  await refuseOften();
  const stranger = connectSocket({ host, port }).on('error', () => undefined);
  stranger.write(Buffer.concat([packetOf(3, '', 7), requestOf('honest', 7), packetOf(3, '', 8)]));
  const outcomes = (): readonly string[] =>
    events.flatMap((event) => (event.kind === 'ended' ? [event.outcome] : [])).slice(-2);
  await expect.poll(outcomes).toEqual(['ignored', 'ignored']);
  stranger.destroy();
});

test('a connection on which a request was admitted is refused without a delay', async () => {
  await refuseOften();
  const [stranger, honest] = await Promise.all([open('mallory'), open('honest')]);
  await noop(honest);
  const order: string[] = [];
  const late = noop(stranger).catch(() => order.push('stranger'));
  await lastValueFrom(of(honest).pipe(request('no-such-service'))).catch(() =>
    order.push('honest'),
  );
  await late;
  expect(order).toEqual(['honest', 'stranger']);
});

test('those who wait for a refusal make room for others', async () => {
  await refuseOften();
  const strangers = await Promise.all(Array.from({ length: MOST / 2 }, () => open('mallory')));
  const ends = strangers.map((one) => noop(one).catch((error: unknown) => error));
  const more = await Promise.all(Array.from({ length: MOST / 2 }, () => open('honest')));
  await Promise.all(more.map(noop));
  const evicted = events.filter(
    (event) => event.kind === 'disconnected' && event.error !== undefined,
  );
  expect(evicted.length).toBeGreaterThan(0);
  await Promise.all(ends);
});
