import { filter, firstValueFrom, lastValueFrom, mergeMap, of, toArray } from 'rxjs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { bsdudp, listenBsdudp } from '../../src/drivers/datagram/bsdudp.js';
import { connect } from '../../src/initiator/connect.js';
import { request } from '../../src/exchange/request.js';
import { reply } from '../../src/exchange/service.js';
import type { ServiceMap } from '../../src/target/serve.js';
import { targetByHand, type ByHand } from '../support/datagram-target.js';
import { openRawUdp } from '../support/raw-udp.js';

const open: { close(): void }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

async function target(services: ServiceMap): Promise<ByHand> {
  const made = await targetByHand(listenBsdudp, services);
  open.push(made);
  return made;
}

const says: ServiceMap = {
  says: () =>
    of(
      reply({
        streams: { A: () => of(Buffer.from('a')), B: undefined, C: (incoming) => incoming },
      }),
    ),
};

/** A number as a frame has it. */
const word = (number: number): string => number.toString(16).padStart(8, '0');

describe('bsdudp', () => {
  test('announces one TCP port, and numbers from 499999 downward for the other streams of a reply and of the next', async () => {
    const { ask, acknowledge } = await target(says);
    expect(await ask('says', 1)).toMatch(/\nCONNECT A \d{4,5} B -1 C 499999\n/);
    acknowledge(1);
    expect(await ask('says', 2)).toMatch(/\nCONNECT A \d{4,5} B -1 C 499998\n/);
  });

  test('carries all streams in frames on that one connection; the port is the handle of the first', async () => {
    const { ask, acknowledge, dial } = await target(says);
    const [, port = ''] = /CONNECT A (\d+) /.exec(await ask('says')) ?? [];
    const { socket, all } = await dial(Number(port));
    acknowledge();
    // C: 3 bytes, 499999; close of C; close of A. Then the end.
    socket.end(
      Buffer.from(
        `00000003 0007a11f 78797a 00000000 0007a11f 00000000 ${word(Number(port))}`.replaceAll(
          ' ',
          '',
        ),
        'hex',
      ),
    );
    const frames = await all;
    expect(frames).toContain(`00000001${word(Number(port))}61`);
    expect(frames).toContain('000000030007a11f78797a');
    expect(frames).toContain('000000000007a11f');
  });

  test('takes the end of the TCP connection for a loss while a stream is open', async () => {
    const { ask, acknowledge, dial, events } = await target(says);
    const ended = firstValueFrom(events.pipe(filter(({ kind }) => kind === 'ended')));
    const [, port = ''] = /CONNECT A (\d+) /.exec(await ask('says')) ?? [];
    const { socket } = await dial(Number(port));
    acknowledge();
    socket.end();
    expect(await ended).toMatchObject({ outcome: 'lost' });
  });

  test('the initiator connects to the first stream, finds the others there, and closes when all have closed', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    open.push(server);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const peer = await openRawUdp();
    open.push(peer);
    void peer.next().then((text) => {
      const [, sequence = ''] = / SEQ (\d+)\n/.exec(text) ?? [];
      peer.send(
        `Amanda 3.5 REP HANDLE 000-00000000 SEQ ${sequence}\nCONNECT A ${port} B 499999\n\n`,
      );
    });
    const over = once(server, 'connection').then(async ([socket]: Socket[]) => {
      socket?.write(
        Buffer.from(
          `00000001 0007a11f 62 00000002 ${word(port)} 6161 00000000 0007a11f 00000000 ${word(port)}`.replaceAll(
            ' ',
            '',
          ),
          'hex',
        ),
      );
      const received: Buffer[] = [];
      socket?.on('data', (bytes: Buffer) => received.push(bytes));
      await once(socket ?? expect.unreachable(), 'end');
      return Buffer.concat(received).toString('hex');
    });
    const texts = connect(
      bsdudp({ host: '127.0.0.1', port: peer.port, user: 'u', reservedPorts: false }),
    ).pipe(
      request('x'),
      mergeMap(({ streams: { A, B } }) => [A ?? expect.unreachable(), B ?? expect.unreachable()]),
      mergeMap((stream) => stream.pipe(toArray())),
      toArray(),
    );
    expect(
      (await lastValueFrom(texts)).map((chunks) => Buffer.concat(chunks).toString()).sort(),
    ).toEqual(['aa', 'b']);
    expect(await over).toBe(`00000000${word(port)}000000000007a11f`);
  });
});
