import { createServer, connect as connectSocket, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { userInfo } from 'node:os';
import {
  NEVER,
  Subject,
  concat,
  filter,
  firstValueFrom,
  lastValueFrom,
  map,
  mergeMap,
  of,
  take,
  tap,
  toArray,
  type Observable,
} from 'rxjs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { authorize } from '../../src/access/authorize.js';
import type { Connection } from '../../src/connection/connection.js';
import { bsd, listenBsd, type ListenBsdOptions } from '../../src/drivers/datagram/bsd.js';
import { bsdudp, listenBsdudp } from '../../src/drivers/datagram/bsdudp.js';
import { listenForStream } from '../../src/drivers/datagram/stream-listener.js';
import { connect } from '../../src/initiator/connect.js';
import { request } from '../../src/exchange/request.js';
import { reply } from '../../src/exchange/service.js';
import { serve, type ServeOptions, type ServiceEvent } from '../../src/target/serve.js';
import { encodeFrame } from '../../src/wire/frame.js';
import { describeUnless, notRoot } from '../support/skips.js';
import { openRawUdp, type RawUdp } from '../support/raw-udp.js';

const host = '127.0.0.1';
const user = userInfo().username;
const roles = {
  bsdudp: { driver: bsdudp, listen: listenBsdudp },
  bsd: { driver: bsd, listen: listenBsd },
};
const open: { close(): void }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

async function rawUdp(port?: number, address?: string): Promise<RawUdp> {
  const socket = await openRawUdp(port, address);
  open.push(socket);
  return socket;
}

interface RunningTarget {
  readonly port: number;
  readonly runs: string[];
  readonly events: Subject<ServiceEvent>;
  /** What the stream of service `held` has after its first letter. */
  readonly rest: Subject<Uint8Array>;
  readonly over: Promise<void>;
}

async function target(
  name: keyof typeof roles,
  listening: Partial<ListenBsdOptions> = {},
  options: ServeOptions = {},
): Promise<RunningTarget> {
  const runs: string[] = [];
  const events = new Subject<ServiceEvent>();
  const rest = new Subject<Uint8Array>();
  const services = {
    noop: () => {
      runs.push('noop');
      return of(reply({ lines: ['OPTIONS features=ff;'] }));
    },
    three: () =>
      of(
        reply({
          streams: {
            A: () => of(Buffer.from('a')),
            B: (incoming) => incoming,
            C: () => of(Buffer.from('c')),
          },
        }),
      ),
    long: () => of(reply({ lines: ['x'.repeat(65_503)] })),
    silent: () => NEVER,
    held: () => of(reply({ streams: { A: () => concat(of(Buffer.from('a')), rest) } })),
  };
  const rules = authorize({
    rules: `localhost ${user} noop three long silent held`,
    reservedPort: false,
  });
  return new Promise((resolve, reject) => {
    const listener = roles[name].listen({
      host,
      port: 0,
      ...listening,
      onListening: (port) => resolve({ port, runs, events, rest, over }),
    });
    const over = new Promise<void>((done) => {
      const serving = serve(listener, services, { authorize: rules, ...options })
        .pipe(tap(events))
        .subscribe({ error: reject, complete: done });
      open.push({ close: () => serving.unsubscribe() });
    });
  });
}

const req = (
  handle: string,
  sequence: number,
  service = 'noop',
  arguments_ = 'OPTIONS ;\n',
): string =>
  `Amanda 3.5 REQ HANDLE ${handle} SEQ ${sequence}\nSECURITY USER ${user}\nSERVICE ${service}\n${arguments_}`;
const head = (type: string, handle: string, sequence: number | string): string =>
  `Amanda 3.5 ${type} HANDLE ${handle} SEQ ${sequence}\n`;

test('a port for a stream is closed when its time is over, and the stream that has come goes on', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
  try {
    const { port, arrival } = await firstValueFrom(
      listenForStream({ driver: 'bsd', address: host }, { host, wait: 60_000 }),
    );
    const errors: unknown[] = [];
    const came = new Subject<void>();
    const first = firstValueFrom(came);
    const listening = arrival.subscribe({
      next: () => came.next(),
      error: (error: unknown) => errors.push(error),
    });
    open.push({ close: () => listening.unsubscribe() });
    const own = connectSocket({ host, port });
    open.push({ close: () => own.destroy() });
    await first;
    vi.advanceTimersByTime(60_000);
    await expect(once(connectSocket({ host, port }), 'connect')).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    expect(errors).toEqual([]);
    expect(own.readyState).toBe('open');
  } finally {
    vi.useRealTimers();
  }
});

describe.each(['bsdudp', 'bsd'] as const)('the target of %s', (name) => {
  test('answers with the handle and the sequence number of the request, whatever they are', async () => {
    const { port } = await target(name);
    const initiator = await rawUdp();
    initiator.send(
      `Amanda 2.4 REQ HANDLE any-word SEQ -7\nSECURITY USER ${user}\nSERVICE noop\nOPTIONS ;\n`,
      port,
    );
    expect(await initiator.next()).toBe('Amanda 3.5 ACK HANDLE any-word SEQ -7\n');
    expect(await initiator.next()).toBe(
      'Amanda 3.5 REP HANDLE any-word SEQ -7\nOPTIONS features=ff;\n',
    );
  });

  test('runs a request once that comes again before and after it is over, and one with another sequence number by itself', async () => {
    const { port, runs } = await target(name);
    const initiator = await rawUdp();
    initiator.send(req('000-00000000', 1), port);
    expect(await initiator.next()).toBe(head('ACK', '000-00000000', 1));
    expect(await initiator.next()).toMatch(/ REP .* SEQ 1\n/);
    initiator.send(req('000-00000000', 1));
    expect(await initiator.next()).toMatch(/ REP .* SEQ 1\n/);
    initiator.send(head('ACK', '000-00000000', 1));
    initiator.send(req('000-00000000', 1));
    initiator.send(req('000-00000000', 2));
    expect(await initiator.next()).toBe(head('ACK', '000-00000000', 2));
    expect(runs).toEqual(['noop', 'noop']);
  });

  test('answers a refused request each time that it comes, since the refusal may have been lost', async () => {
    const { port } = await target(name);
    const initiator = await rawUdp();
    for (let times = 0; times < 2; times += 1) {
      initiator.send(req('000-00000000', 1, 'nosuch'), port);
      expect(await initiator.next()).toMatch(
        /^Amanda 3\.5 NAK HANDLE 000-00000000 SEQ 1\nERROR .*nosuch/,
      );
    }
  });

  test('ignores what is no packet, and what belongs to no request', async () => {
    const { port, events } = await target(name);
    const connected = firstValueFrom(events.pipe(filter(({ kind }) => kind === 'connected')));
    const [stranger, initiator] = [await rawUdp(), await rawUdp()];
    for (const text of [
      '',
      '\0',
      'GET / HTTP/1.0\r\n\r\n',
      'Amanda 3 REQ HANDLE a SEQ 1\n',
      'Amanda 3.5 REQ HANDLE a SEQ 99999999999\n',
      'x'.repeat(60_000),
    ]) {
      stranger.send(text, port);
    }
    for (const type of ['ACK', 'REP', 'PREP', 'NAK', 'FOO'])
      stranger.send(head(type, '000-00000000', 1), port);
    initiator.send(req('000-00000000', 1), port);
    expect(await connected).toMatchObject({
      peer: { driver: name, address: host, port: initiator.port },
    });
    expect(await initiator.next()).toBe(head('ACK', '000-00000000', 1));
    expect(stranger.waiting).toEqual([]);
  });

  test('serves several initiators at once, and drops the requests of more than it may have', async () => {
    const { port } = await target(name, { maxConnections: 2 });
    const initiators = [await rawUdp(), await rawUdp(), await rawUdp()] as const;
    for (const initiator of initiators) initiator.send(req('000-00000000', 1, 'silent'), port);
    expect(await Promise.all([initiators[0].next(), initiators[1].next()])).toEqual([
      head('ACK', '000-00000000', 1),
      head('ACK', '000-00000000', 1),
    ]);
    initiators[0].send(req('000-00000001', 1, 'noop'));
    await initiators[0].next();
    expect(initiators[2].waiting).toEqual([]);
  });

  test('drops a request over the limit of one initiator', async () => {
    const { port, runs } = await target(name, {}, { maxHandles: 1 });
    const initiator = await rawUdp();
    initiator.send(req('000-00000000', 1, 'silent'), port);
    expect(await initiator.next()).toBe(head('ACK', '000-00000000', 1));
    initiator.send(req('000-00000001', 1, 'noop'));
    initiator.send(req('000-00000000', 1, 'silent'));
    expect(await initiator.next()).toBe(head('ACK', '000-00000000', 1));
    expect(runs).toEqual([]);
  });

  test('says in its reply that the reply fits no datagram', async () => {
    const { port } = await target(name);
    const { errors } = await lastValueFrom(
      connect(roles[name].driver({ host, port, reservedPorts: false })).pipe(request('long')),
    );
    expect(errors).toEqual([
      'an answer of 65504 bytes fits no datagram, which carries 65503; use a driver over TCP for this host, such as bsdtcp',
    ]);
  });

  test('says of a request over the largest datagram why it is not run, and goes on', async () => {
    const { port } = await target(name);
    const initiator = await rawUdp();
    const short = req('000-00000000', 1);
    initiator.send(short + 'x'.repeat(65_504 - short.length), port);
    expect(await initiator.next()).toBe(
      `${head('NAK', '000-00000000', 1)}ERROR a request of 65504 bytes is over the 65503 of a datagram. Its end may be missing: use a driver over TCP for this host, such as bsdtcp\n`,
    );
    initiator.send(req('000-00000001', 1) + 'x'.repeat(65_503 - short.length), port);
    expect(await initiator.next()).toBe(head('ACK', '000-00000001', 1));
  });

  test('gives up streams without a connection', async () => {
    const { port, events } = await target(name, { streamWait: 20 });
    const ended = firstValueFrom(events.pipe(filter(({ kind }) => kind === 'disconnected')));
    const initiator = await rawUdp();
    initiator.send(req('000-00000000', 1, 'three'), port);
    expect(await ended).toMatchObject({
      error: {
        code: 'CONNECTION_LOST',
        message: expect.stringMatching(/did not connect to TCP port \d+ .*firewall/) as string,
      },
    });
  });

  test('takes a TCP connection for a stream from the initiator alone', async () => {
    const { port } = await target(name, { host: '0.0.0.0' });
    const initiator = await rawUdp();
    initiator.send(req('000-00000000', 1, 'three'), port);
    await initiator.next();
    const [, number] = /CONNECT A (\d+) /.exec(await initiator.next()) ?? [];
    const stranger = connectSocket({ host, port: Number(number), localAddress: '127.0.0.2' });
    await expect(once(stranger, 'close')).rejects.toMatchObject({ code: 'ECONNRESET' });
    const own = connectSocket({ host, port: Number(number), localAddress: host });
    await once(own, 'connect');
    own.destroy();
  });

  test('takes two TCP connections for one stream as a sign that one is not the initiator', async () => {
    const { port, events } = await target(name);
    const ended = firstValueFrom(events.pipe(filter(({ kind }) => kind === 'disconnected')));
    const initiator = await rawUdp();
    initiator.send(req('000-00000000', 1, 'three'), port);
    await initiator.next();
    const [, number] = /CONNECT A (\d+) /.exec(await initiator.next()) ?? [];
    const thief = connectSocket({ host, port: Number(number) }).on('error', () => undefined);
    await once(thief, 'connect');
    const own = connectSocket({ host, port: Number(number) });
    await expect(once(own, 'close')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await ended).toMatchObject({
      error: {
        code: 'CONNECTION_LOST',
        message: expect.stringMatching(/^Two programs on the initiator's host/) as string,
      },
    });
  });

  test.each(['noop', 'three'])(
    'answers %s from the same port with another number when the first reply was never acknowledged',
    async (service) => {
      const { port } = await target(name);
      const initiator = await rawUdp();
      for (const sequence of [1, 2, 3]) {
        initiator.send(req('000-00000000', sequence, service), port);
        expect(await initiator.next()).toBe(head('ACK', '000-00000000', sequence));
        expect(await initiator.next()).toContain(head('REP', '000-00000000', sequence));
      }
    },
  );

  test('does not answer the same request with another number while the first runs', async () => {
    const { port } = await target(name);
    const initiator = await rawUdp();
    initiator.send(req('000-00000000', 1, 'silent'), port);
    initiator.send(req('000-00000000', 2, 'silent'), port);
    initiator.send(req('000-00000000', 3), port);
    for (const [type, sequence] of [
      ['ACK', 1],
      ['ACK', 2],
      ['ACK', 3],
      ['REP', 3],
    ] as const)
      expect(await initiator.next()).toContain(head(type, '000-00000000', sequence));
  });

  describe('a request whose service has sent all', () => {
    const sent = (events: Subject<ServiceEvent>) =>
      firstValueFrom(events.pipe(filter(({ kind }) => kind === 'ended')));
    /** Asks for a stream that is sent at once, and acknowledges; gives its port. */
    const askForStream = async (port: number, rest: Subject<Uint8Array>): Promise<number> => {
      const initiator = await rawUdp();
      initiator.send(req('000-00000000', 1, 'held'), port);
      await initiator.next();
      const [, number] = /CONNECT A (\d+)/.exec(await initiator.next()) ?? [];
      initiator.send(head('ACK', '000-00000000', 1), port);
      rest.complete();
      return Number(number);
    };
    /** What closes the other direction before a FIN. */
    const closeOf = (number: number): Uint8Array =>
      name === 'bsd'
        ? new Uint8Array()
        : encodeFrame({ handle: number, payload: new Uint8Array() });
    const failed = (message: RegExp) => ({
      outcome: 'failed',
      service: 'held',
      error: { code: 'CONNECTION_LOST', message: expect.stringMatching(message) as string },
    });

    test('has failed when nothing takes its stream', async () => {
      const { port, events, rest } = await target(name, { streamWait: 100 });
      const ended = sent(events);
      await askForStream(port, rest);
      expect(await ended).toMatchObject(failed(/did not connect to TCP port/));
    });

    test('has failed when another program takes its stream, even one that is gone', async () => {
      const { port, events, rest } = await target(name);
      const ended = sent(events);
      const number = await askForStream(port, rest);
      const thief = connectSocket({ host, port: number });
      await once(thief, 'data');
      thief.end(closeOf(number));
      await once(thief, 'close');
      const own = connectSocket({ host, port: number });
      await expect(once(own, 'close')).rejects.toMatchObject({ code: 'ECONNRESET' });
      expect(await ended).toMatchObject(failed(/^Two programs/));
    });

    test('is completed when its initiator has taken its stream', async () => {
      const { port, events, rest } = await target(name);
      const ended = sent(events);
      const number = await askForStream(port, rest);
      const own = connectSocket({ host, port: number });
      await once(own, 'data');
      own.end(closeOf(number));
      expect(await ended).toMatchObject({ outcome: 'completed', error: undefined });
    });
  });

  test('stops when the last initiator has gone, if it is to', async () => {
    const { port, over } = await target(name, { untilIdle: true }, { idleTimeout: 5 });
    await lastValueFrom(
      connect(roles[name].driver({ host, port, reservedPorts: false })).pipe(request('noop')),
    );
    await over;
  });

  test('that is asked to stop lets a running exchange and its streams finish, and hears no new initiator', async () => {
    const stop = new Subject<void>();
    const { port, runs, rest, over } = await target(name, {}, { stop });
    const late = await rawUdp();
    const asked = connect(roles[name].driver({ host, port, reservedPorts: false })).pipe(
      request('held'),
      // Before the reply is acknowledged and its stream is there.
      tap(() => {
        stop.next();
        late.send(req('000-00000000', 1), port);
      }),
      mergeMap(({ streams: { A } }) => {
        // A target that is through resets what is still open, and that may overtake the last bytes.
        A?.complete();
        return A ?? NEVER;
      }),
      tap((letter) => {
        if (letter[0] !== 0x61) return;
        rest.next(Buffer.from('b'));
        rest.complete();
      }),
      toArray(),
    );
    expect(Buffer.concat(await lastValueFrom(asked)).toString()).toBe('ab');
    await over;
    expect([late.waiting, runs]).toEqual([[], []]);
    // The port is free again.
    open.push(await openRawUdp(port, host));
  });

  test('chooses the ports of streams from the range that it is given', async () => {
    const free = createServer();
    free.listen(0, host);
    await once(free, 'listening');
    const { port: first } = free.address() as AddressInfo;
    open.push(free);
    const { port } = await target(name, {
      streamPorts: { first, last: Math.min(first + 20, 65_535) },
    });
    const initiator = await rawUdp();
    initiator.send(req('000-00000000', 1, 'three'), port);
    await initiator.next();
    const [, number] = /CONNECT A (\d+) /.exec(await initiator.next()) ?? [];
    expect(Number(number)).toBeGreaterThan(first);
    expect(Number(number)).toBeLessThanOrEqual(first + 20);
  });
});

/**
 * What a target of the test's own hand does once it has a request: `sequence` is that of the
 * request.
 */
async function answering(
  name: keyof typeof roles,
  answer: (peer: RawUdp, sequence: string, text: string) => void,
): Promise<Observable<Connection>> {
  const peer = await rawUdp();
  void peer.next().then((text) => answer(peer, / SEQ (-?\d+)\n/.exec(text)?.[1] ?? '', text));
  return connect(roles[name].driver({ host, port: peer.port, user: 'u', reservedPorts: false }));
}

describe.each(['bsdudp', 'bsd'] as const)('the initiator of %s', (name) => {
  test('sends the request as Amanda does, acknowledges the reply, and again when it comes again', async () => {
    const peer = await rawUdp();
    const replies = connect(
      roles[name].driver({ host, port: peer.port, user: 'u', reservedPorts: false }),
    ).pipe(
      mergeMap((connection) =>
        of(connection).pipe(request({ service: 'noop', options: { hostname: 'h' } })),
      ),
      mergeMap(({ text }) => {
        peer.send(head('REP', '000-00000000', sequence));
        return peer.next().then((again) => [text, again]);
      }),
    );
    const both = firstValueFrom(replies);
    const [, sequence = ''] =
      /^Amanda 3\.5 REQ HANDLE 000-00000000 SEQ (\d{1,10})\nSECURITY USER u\nSERVICE noop\nOPTIONS hostname=h;\n$/.exec(
        await peer.next(),
      ) ?? [];
    expect(sequence).not.toBe('');
    peer.send(`${head('REP', '000-00000000', sequence)}OPTIONS ;\n`);
    expect(await peer.next()).toBe(head('ACK', '000-00000000', sequence));
    expect(await both).toEqual(['OPTIONS ;\n', head('ACK', '000-00000000', sequence)]);
  });

  test('takes an answer only with its handle and its sequence number', async () => {
    const connection = await answering(name, (peer, sequence) => {
      peer.send('garbage');
      peer.send(`${head('REP', '000-00000000', Number(sequence) ^ 1)}wrong number\n`);
      peer.send(`${head('REP', '000-00000001', sequence)}wrong handle\n`);
      peer.send(req('000-00000000', Number(sequence)));
      peer.send(`${head('REP', '000-00000000', sequence)}right\n`);
    });
    expect((await lastValueFrom(connection.pipe(request('noop')))).lines).toEqual(['right']);
  });

  test('refuses a request that fits no datagram before anything is sent, and goes on with the connection', async () => {
    const { port } = await target(name);
    const driver = roles[name].driver({ host, port, reservedPorts: false });
    const sent: unknown[] = [];
    const both = connect(driver).pipe(
      mergeMap(async (connection) => {
        connection.sent.subscribe((frame) => sent.push(frame));
        const tooLong = of(connection).pipe(
          request({ service: 'noop', options: {}, body: 'x'.repeat(65_503) }),
        );
        await expect(lastValueFrom(tooLong)).rejects.toMatchObject({
          code: 'DATAGRAM_TOO_LARGE',
          message: expect.stringMatching(/65503.*TCP/) as string,
        });
        expect(sent).toEqual([]);
        return lastValueFrom(of(connection).pipe(request('noop')));
      }),
    );
    expect((await firstValueFrom(both)).text).toBe('OPTIONS features=ff;\n');
  });

  test('says of a reply which the target has cut that it is not whole', async () => {
    const connection = await answering(name, (peer, sequence) => {
      const start = head('REP', '000-00000000', sequence);
      peer.send(start + 'x'.repeat(65_504 - start.length));
    });
    await expect(lastValueFrom(connection.pipe(request('noop')))).rejects.toMatchObject({
      code: 'DATAGRAM_TOO_LARGE',
    });
  });

  test('says at once that nothing listens', async () => {
    const gone = await openRawUdp();
    gone.close();
    const asked = lastValueFrom(
      connect(roles[name].driver({ host, port: gone.port, reservedPorts: false })).pipe(
        request('noop'),
      ),
    );
    await expect(asked).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
      message: expect.stringMatching(/nothing listens on port \d+\/udp/) as string,
    });
  });

  test('says that a host is not known', async () => {
    const asked = firstValueFrom(
      connect(roles[name].driver({ host: 'no-such-host.invalid', reservedPorts: false }), {
        connectTries: 1,
      }),
    );
    await expect(asked).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
      message: expect.stringMatching(/not known/) as string,
    });
  });

  test('gives up after its tries without an answer', async () => {
    const peer = await rawUdp();
    const driver = roles[name].driver({ host, port: peer.port, reservedPorts: false });
    await expect(
      lastValueFrom(connect(driver).pipe(request('noop', { ackTimeout: 5 }))),
    ).rejects.toMatchObject({ code: 'ACK_TIMEOUT' });
    expect(peer.waiting).toHaveLength(3);
    expect(new Set(peer.waiting).size).toBe(1);
  });

  test('says of a stream whose port cannot be reached that a firewall may be the reason', async () => {
    const gone = createServer();
    gone.listen(0, host);
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    gone.close();
    const connections = await answering(name, (peer, sequence) => {
      peer.send(`${head('REP', '000-00000000', sequence)}CONNECT DATA ${port}\n\n`);
    });
    const reason = connections.pipe(
      tap((connection) =>
        of(connection)
          .pipe(request('x'))
          .subscribe({ error: () => undefined }),
      ),
      mergeMap((connection) => connection.ended),
    );
    await expect(lastValueFrom(reason)).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      message: expect.stringMatching(/cannot be reached; does a firewall/) as string,
    });
  });

  test('takes a first stream that is no port for a broken reply', async () => {
    const connection = await answering(name, (peer, sequence) => {
      peer.send(`${head('REP', '000-00000000', sequence)}CONNECT DATA 499999\n\n`);
    });
    await expect(lastValueFrom(connection.pipe(request('x')))).rejects.toMatchObject({
      code: 'BAD_REPLY',
    });
  });

  test('shows taps packets and stream bytes as frames', async () => {
    const { port } = await target(name);
    const seen: string[] = [];
    await lastValueFrom(
      connect(roles[name].driver({ host, port, reservedPorts: false })).pipe(
        tap((connection) => {
          connection.subscribe({
            next: ({ payload }) =>
              seen.push(`< ${Buffer.from(payload).toString('latin1').slice(0, 9)}`),
            error: () => undefined,
          });
          connection.sent.subscribe(({ payload }) =>
            seen.push(`> ${Buffer.from(payload).toString('latin1').slice(0, 9)}`),
          );
        }),
        request('three'),
        mergeMap(({ streams: { A, B, C } }) => {
          B?.complete();
          B?.discard();
          C?.discard();
          return A?.pipe(toArray()) ?? expect.unreachable();
        }),
      ),
    );
    expect(seen).toEqual(
      expect.arrayContaining([
        '> \0SECURITY',
        '< \u0003\0',
        '< \u0001CONNECT ',
        '> \u0003\0',
        '< a',
        '< ',
        '> ',
      ]),
    );
  });
});

describeUnless(notRoot(), 'the source port of bsdudp and bsd', () => {
  test.each(['bsdudp', 'bsd'] as const)(
    '%s asks from a reserved port, and says when none is free',
    async (name) => {
      const { port, events } = await target(name);
      const peers = lastValueFrom(
        events.pipe(
          filter(({ kind }) => kind === 'connected'),
          map(({ peer }) => peer.port),
          take(1),
        ),
      );
      await lastValueFrom(connect(roles[name].driver({ host, port })).pipe(request('noop')));
      expect(await peers).toBeGreaterThanOrEqual(512);
      expect(await peers).toBeLessThan(1024);
      const taken = await rawUdp(0, '0.0.0.0');
      const reservedPorts = { first: taken.port, last: taken.port };
      await expect(
        firstValueFrom(connect(roles[name].driver({ host, port, reservedPorts }))),
      ).rejects.toMatchObject({ code: 'NO_RESERVED_PORT' });
    },
  );
});

describe('an inherited socket', () => {
  test.each(['bsdudp', 'bsd'] as const)('of %s that is none is said to be none', async (name) => {
    const listening = firstValueFrom(roles[name].listen({ port: 'inherited' }).accept({}));
    await expect(listening).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringMatching(/no UDP socket.*"wait"/) as string,
    });
  });
});
