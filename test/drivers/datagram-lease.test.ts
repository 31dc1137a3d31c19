import { EMPTY, concat, defer, lastValueFrom, mergeMap, of, tap } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import { bsd, listenBsd } from '../../src/drivers/datagram/bsd.js';
import { bsdudp, listenBsdudp } from '../../src/drivers/datagram/bsdudp.js';
import { connect } from '../../src/initiator/connect.js';
import { request } from '../../src/exchange/request.js';
import { reply } from '../../src/exchange/service.js';
import { SLAB_BYTES } from '../../src/transport/buffer-pool.js';
import { targetByHand } from '../support/datagram-target.js';

const open: { close(): void }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

const CHUNKS = 256;
const CHUNK_BYTES = 65_536;
/** One byte of so many is looked at. */
const STEP = 61;

async function* counted(): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < CHUNKS; n += 1) {
    await Promise.resolve();
    yield new Uint8Array(CHUNK_BYTES).fill(n % 251);
  }
}

/**
 * Reads `counted` to its end, and says in how many slabs it lay and whether its bytes were right.
 */
async function read(name: 'bsd' | 'bsdudp', { lease, tapped = false }: Reading): Promise<Seen> {
  const listen = name === 'bsd' ? listenBsd : listenBsdudp;
  const target = await targetByHand(listen, {
    big: () => of(reply({ streams: { DATA: () => counted() } })),
  });
  open.push(target);
  const { port } = target;
  const slabs = new Set<ArrayBufferLike>();
  let bytes = 0;
  let isRight = true;
  const look = (chunk: Uint8Array) => {
    for (let at = 0; at < chunk.length; at += STEP)
      isRight &&= chunk[at] === Math.floor((bytes + at) / CHUNK_BYTES) % 251;
    bytes += chunk.length;
    if (chunk.buffer.byteLength === SLAB_BYTES) slabs.add(chunk.buffer);
    return EMPTY;
  };
  const driver = name === 'bsd' ? bsd : bsdudp;
  return lastValueFrom(
    connect(driver({ host: '127.0.0.1', port, reservedPorts: false })).pipe(
      tap((connection) => {
        connection.observe(() => undefined);
        if (tapped) connection.subscribe();
      }),
      request('big'),
      mergeMap(({ streams: { DATA } }) =>
        concat(
          DATA?.paced(look, { lease }) ?? expect.unreachable(),
          defer(() => of({ bytes, isRight, slabs: slabs.size })),
        ),
      ),
    ),
  );
}

interface Reading {
  readonly lease: boolean;
  /** Whether a tap keeps all frames. */
  readonly tapped?: boolean;
}

interface Seen {
  readonly bytes: number;
  readonly isRight: boolean;
  readonly slabs: number;
}

const whole = { bytes: CHUNKS * CHUNK_BYTES, isRight: true };
/** Slabs that serve any amount: those that are free and those in use. */
const FEW = 24;

describe.each(['bsdudp', 'bsd'] as const)('the streams of %s', (name) => {
  test('are read into a few slabs when the reader leases, observed or not', async () => {
    const { slabs, ...seen } = await read(name, { lease: true });
    expect(seen).toEqual(whole);
    expect(slabs).toBeGreaterThan(0);
    expect(slabs).toBeLessThan(FEW);
  });

  test.each([
    ['reader keeps its chunks', { lease: false }],
    ['tap keeps its frames', { lease: true, tapped: true }],
  ])('are read into fresh slabs when a %s', async (_who, reading) => {
    const { slabs, ...seen } = await read(name, reading);
    expect(seen).toEqual(whole);
    expect(slabs).toBeGreaterThan(FEW);
  });
});
