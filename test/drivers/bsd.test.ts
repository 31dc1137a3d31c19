import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import {
  NEVER,
  Observable,
  concat,
  filter,
  firstValueFrom,
  forkJoin,
  lastValueFrom,
  map,
  mergeMap,
  of,
  range,
  reduce,
  throwError,
  timer,
} from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import type { Stream } from '../../src/connection/stream.js';
import { bsd, listenBsd } from '../../src/drivers/datagram/bsd.js';
import { connect } from '../../src/initiator/connect.js';
import { request } from '../../src/exchange/request.js';
import { reply } from '../../src/exchange/service.js';
import type { Pull, Pullable } from '../../src/operators/pull.js';
import type { ServeOptions, ServiceMap } from '../../src/target/serve.js';
import { SLAB_BYTES, release, takeSlab } from '../../src/transport/buffer-pool.js';
import { targetByHand, type ByHand } from '../support/datagram-target.js';
import { giveAway } from '../support/give-away.js';
import { openRawUdp } from '../support/raw-udp.js';

const open: { close(): void }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

async function target(services: ServiceMap, options: ServeOptions = {}): Promise<ByHand> {
  const made = await targetByHand(listenBsd, services, options);
  open.push(made);
  return made;
}

/** The ports on a CONNECT line. */
function portsOf(text: string): readonly number[] {
  return (/^CONNECT (.*)$/m.exec(text)?.[1] ?? '')
    .split(' ')
    .flatMap((word) => (/^\d+$/.test(word) ? [Number(word)] : []));
}

const two: ServiceMap = {
  two: () =>
    of(reply({ streams: { IO: (incoming) => incoming, SAYS: () => of(Buffer.from('hello')) } })),
};

describe('bsd', () => {
  test('announces a TCP port for each stream, which carries bytes and nothing else; FIN closes a direction', async () => {
    const { ask, acknowledge, dial } = await target(two);
    const [io = 0, says = 0] = portsOf(await ask('two'));
    expect([io, says]).toEqual([expect.any(Number), expect.any(Number)]);
    const streams = [await dial(io), await dial(says)] as const;
    acknowledge();
    expect(await streams[1].all).toBe('68656c6c6f');
    streams[0].socket.write('abc');
    streams[0].socket.end();
    expect(await streams[0].all).toBe('616263');
  });

  test('keeps what arrives before the reply is acknowledged', async () => {
    const { ask, acknowledge, dial } = await target(two);
    const [io = 0, says = 0] = portsOf(await ask('two'));
    const streams = [await dial(io), await dial(says)] as const;
    streams[0].socket.end('early');
    acknowledge();
    expect(await streams[0].all).toBe('6561726c79');
  });

  test('keeps what is sent before the initiator has connected', async () => {
    const { ask, acknowledge, dial, initiator } = await target(two);
    const [, says = 0] = portsOf(await ask('two'));
    acknowledge();
    // Answered after the acknowledgement, so that has arrived.
    initiator.send('Amanda 3.5 REQ HANDLE x SEQ 2\nSERVICE nosuch\nOPTIONS ;\n');
    expect(await initiator.next()).toMatch(/ NAK /);
    expect(await (await dial(says)).all).toBe('68656c6c6f');
  });

  test('resets a stream that cannot be sent whole: a FIN would say that it is', async () => {
    const gone = (): ReturnType<ServiceMap[string]> =>
      of(
        reply({
          streams: {
            DATA: () => NEVER,
            MESG: () => throwError(() => new Error('the disk is gone')),
          },
        }),
      );
    // No bytes before the reset: after unread bytes Node 20 takes a reset for an end.
    const { ask, acknowledge, dial } = await target({ gone });
    const ports = portsOf(await ask('gone'));
    const streams = await Promise.all(ports.map((port) => dial(port)));
    acknowledge();
    for (const { all } of streams) await expect(all).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test.each([
    ['bytes that were not read yet', 'half'],
    ['nothing', ''],
  ])('takes a reset after %s for a loss, never for the end', async (_what, bytes) => {
    const server = createServer((socket) => {
      socket.once('data', () => {
        // The reset leaves directly after the bytes, so both have arrived before they are read.
        if (bytes === '') socket.resetAndDestroy();
        else socket.write(bytes, () => socket.resetAndDestroy());
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const peer = await openRawUdp();
    open.push(peer, server);
    void peer.next().then((text) => {
      const [, sequence = ''] = / SEQ (\d+)\n/.exec(text) ?? [];
      peer.send(
        `Amanda 3.5 REP HANDLE 000-00000000 SEQ ${sequence}\nCONNECT DATA ${(server.address() as AddressInfo).port}\n\n`,
      );
    });
    const data = connect(
      bsd({ host: '127.0.0.1', port: peer.port, user: 'u', reservedPorts: false }),
    ).pipe(
      request('x'),
      mergeMap(({ streams: { DATA } }) => {
        DATA?.next(Buffer.from('go'));
        return DATA ?? expect.unreachable();
      }),
    );
    await expect(lastValueFrom(data)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  });

  test('ends the service when the initiator breaks a stream', async () => {
    const { ask, acknowledge, dial, events } = await target({
      endless: () => of(reply({ streams: { DATA: () => NEVER } })),
    });
    const ended = firstValueFrom(events.pipe(filter(({ kind }) => kind === 'ended')));
    const [port = 0] = portsOf(await ask('endless'));
    const { socket } = await dial(port);
    acknowledge();
    socket.resetAndDestroy();
    expect(await ended).toMatchObject({ outcome: 'lost', error: { code: 'CONNECTION_LOST' } });
  });

  test('ends the connection when more is to be sent than the send budget holds', async () => {
    const flood = (): ReturnType<ServiceMap[string]> =>
      of(
        reply({
          streams: {
            DATA: () => concat(range(0, 64).pipe(map(() => Buffer.alloc(65_536))), NEVER),
          },
        }),
      );
    const { ask, acknowledge, events } = await target({ flood }, { sendBudget: 1_000_000 });
    const ended = firstValueFrom(events.pipe(filter(({ kind }) => kind === 'ended')));
    await ask('flood');
    acknowledge();
    expect(await ended).toMatchObject({ error: { code: 'SEND_BUDGET' } });
  });

  test('an unread stream does not hold up the others, and holds no more than the budget', async () => {
    const size = 4 * 1_048_576;
    const sendAll = async function* (): AsyncGenerator<Uint8Array> {
      await Promise.resolve();
      for (let at = 0; at < size; at += 65_536) yield Buffer.alloc(65_536);
    };
    const { port } = await target({
      big: () => of(reply({ streams: { A: () => sendAll(), B: () => sendAll() } })),
    });
    const receiveBudget = 262_144;
    const lengthOf = reduce((sum: number, { length }: Uint8Array) => sum + length, 0);
    const lengths = connect(bsd({ host: '127.0.0.1', port, reservedPorts: false }), {
      receiveBudget,
    }).pipe(
      request('big'),
      mergeMap(({ streams: { A, B }, connection }) => {
        let most = 0;
        connection.flow.subscribe(({ held }) => (most = Math.max(most, held)));
        const b = B?.pipe(lengthOf) ?? expect.unreachable();
        return b.pipe(
          mergeMap((read) =>
            (A?.pipe(lengthOf) ?? expect.unreachable()).pipe(map((late) => ({ read, late, most }))),
          ),
        );
      }),
    );
    const { read, late, most } = await lastValueFrom(lengths);
    expect([read, late]).toEqual([size, size]);
    expect(most).toBeLessThan(receiveBudget + 2 * 65_536);
  });

  test('loses nothing of what was read together when a reader gives a chunk to another thread', async () => {
    const size = 4_194_304;
    const { port } = await target({
      big: () => of(reply({ streams: { DATA: () => of(new Uint8Array(size).fill(7)) } })),
    });
    const sum = connect(bsd({ host: '127.0.0.1', port, reservedPorts: false })).pipe(
      request('big'),
      mergeMap(({ streams: { DATA } }) => DATA ?? expect.unreachable()),
      reduce((before: number, chunk) => {
        const all = before + chunk.reduce((some, byte) => some + byte, 0);
        giveAway(chunk);
        return all;
      }, 0),
    );
    expect(await lastValueFrom(sum)).toBe(size * 7);
  });

  test('sends what its source leased, though the memory of one stream is wanted by another', async () => {
    const slabs = 40;
    const { port } = await target({
      two: () => of(reply({ streams: { A: () => leased(slabs, 1), B: () => leased(slabs, 2) } })),
    });
    const counts = connect(bsd({ host: '127.0.0.1', port, reservedPorts: false })).pipe(
      request('two'),
      mergeMap(({ streams: { A, B } }) =>
        forkJoin([
          countBytes(A ?? expect.unreachable(), 1),
          countBytes(B ?? expect.unreachable(), 2),
        ]),
      ),
    );
    const whole = { all: slabs * SLAB_BYTES, others: 0 };
    expect(await lastValueFrom(counts)).toEqual([whole, whole]);
  });
});

/** A source of so many slabs of one byte, each of which is used again when it is released. */
function leased(slabs: number, byte: number): Observable<Uint8Array> & Pullable<Uint8Array> {
  let left = slabs;
  const pull = (): Pull<Uint8Array> => ({
    get end() {
      return left === 0 ? {} : undefined;
    },
    take: () => {
      if (left === 0) return undefined;
      left -= 1;
      return takeSlab().fill(byte);
    },
    release,
    cancel: () => undefined,
  });
  return Object.assign(new Observable<Uint8Array>(), { pull });
}

/**
 * How many bytes arrive, and how many of them are others; slowly, so that the sender has to wait.
 */
function countBytes(stream: Stream, byte: number): Observable<{ all: number; others: number }> {
  return stream
    .paced((chunk) => timer(1).pipe(map(() => chunk)))
    .pipe(
      reduce(
        ({ all, others }, chunk) => ({
          all: all + chunk.length,
          others: others + chunk.filter((one) => one !== byte).length,
        }),
        { all: 0, others: 0 },
      ),
    );
}
