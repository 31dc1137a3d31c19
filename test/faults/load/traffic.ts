import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import {
  catchError,
  concatMap,
  delay,
  filter,
  firstValueFrom,
  lastValueFrom,
  of,
  take,
  timer,
  type Observable,
} from 'rxjs';
import { sourcePorts } from '../../../src/access/reserved-port.js';
import { connect } from '../../../src/initiator/connect.js';
import { dump } from '../../../src/initiator/dump.js';
import { noop } from '../../../src/initiator/noop.js';
import { receiveDump, type DumpEvent } from '../../../src/initiator/receive-dump.js';
import { selfcheck } from '../../../src/initiator/selfcheck.js';
import { isAmandaError } from '../../../src/wire/errors.js';
import { conversation, conversationNames } from '../../support/captures.js';
import { diskSizes, type Served } from './amandad.js';
import { below, oneOf, type Random } from '../../fuzz/random.js';

/** What a peer does; resolves when it is over, and rejects when the target did what it must not. */
type Deed = (served: Served, random: Random) => Promise<unknown>;

const recorded = conversationNames()
  .map((name) => conversation(name).bytes.c2s)
  .filter(({ length }) => length > 0) as [Uint8Array, ...Uint8Array[]];

/** Everything that peers do, the good and the others, and how often. */
const deeds: readonly (readonly [name: string, weight: number, deed: Deed])[] = [
  ['noop', 8, ({ driver }) => firstValueFrom(connect(driver(), { connectTries: 1 }).pipe(noop()))],
  [
    'service',
    3,
    ({ driver, device }) =>
      lastValueFrom(
        connect(driver(), { connectTries: 1 }).pipe(
          selfcheck({ dles: [{ ...gnutar, disk: device(64) }] }),
        ),
      ),
  ],
  ['dump', 4, wholeDump],
  ['dump of what is not there', 1, refusedDump],
  ['dump, cancelled', 3, (served, random) => firstBytes(served, below(random, 6))],
  ['dump, read slowly', 2, (served, random) => firstBytes(served, 1 + below(random, 4), 100)],
  ['garbage', 2, (served, random) => rawPeer(served, randomBytes(random), below(random, 50))],
  [
    'a damaged recording',
    3,
    (served, random) => rawPeer(served, damagedRecording(random), below(random, 200)),
  ],
  ['silence', 2, (served, random) => rawPeer(served, new Uint8Array(0), below(random, 300))],
];

/** One deed, chosen by chance: its name, and why it went wrong if it did. */
export async function anyDeed(
  served: Served,
  random: Random,
): Promise<{ readonly name: string; readonly wrong: unknown }> {
  let at = below(
    random,
    deeds.reduce((sum, [, weight]) => sum + weight, 0),
  );
  for (const [name, weight, deed] of deeds) {
    at -= weight;
    if (at >= 0) continue;
    try {
      await deed(served, random);
      return { name, wrong: undefined };
    } catch (error) {
      return { name, wrong: error };
    }
  }
  throw new Error('no deed was chosen');
}

const gnutar = { program: 'GNUTAR', index: true } as const;

function dumpOf({ driver, device }: Served, kilobytes: number, wait = 0): Observable<DumpEvent> {
  const read = wait === 0 ? () => of(undefined) : () => timer(wait);
  const disk = device(kilobytes);
  return connect(driver(), { connectTries: 1 }).pipe(
    dump({ dle: { ...gnutar, disk } }),
    receiveDump(() => ({ data: read }), { progressInterval: 20 }),
  );
}

async function wholeDump(served: Served, random: Random): Promise<void> {
  const last = await lastValueFrom(dumpOf(served, oneOf(random, diskSizes)));
  if (last.kind !== 'done' || last.outcome.bytes < 65_536)
    throw new Error(`A dump ended with ${JSON.stringify(last)}.`);
}

async function refusedDump(served: Served): Promise<void> {
  const end = await lastValueFrom(
    dumpOf(served, 77).pipe(catchError((error: unknown) => of(error))),
  );
  if (!isAmandaError(end, 'SERVICE_FAILED'))
    throw end instanceof Error ? end : new Error('A dump of nothing has succeeded.');
}

/** Leaves a dump after some of its events, reading a chunk every so many milliseconds. */
async function firstBytes(served: Served, events: number, wait = 0): Promise<void> {
  await lastValueFrom(
    dumpOf(served, 8_192, wait).pipe(
      filter(({ kind }) => kind !== 'message'),
      take(events + 1),
      concatMap((event) => of(event).pipe(delay(0))),
    ),
  );
}

/** Connects from a port that a target trusts, sends bytes, waits, and breaks off. */
async function rawPeer({ target }: Served, bytes: Uint8Array, milliseconds: number): Promise<void> {
  const socket = await rawSocket(target.port);
  socket.resume().write(bytes);
  await Promise.race([firstValueFrom(timer(milliseconds)), once(socket, 'close')]);
  if (milliseconds % 2 === 0) socket.destroy();
  else socket.resetAndDestroy();
}

async function rawSocket(port: number): Promise<Socket> {
  const mayBind = process.getuid?.() === 0;
  for (const localPort of mayBind ? sourcePorts() : [undefined]) {
    const socket = connectSocket({
      port,
      host: '127.0.0.1',
      ...(localPort === undefined ? {} : { localPort }),
    });
    try {
      await once(socket, 'connect');
      return socket.on('error', () => undefined);
    } catch {
      // That source port is in use: the next one.
    }
  }
  throw new Error('no source port is free');
}

function randomBytes(random: Random): Uint8Array {
  return Uint8Array.from({ length: below(random, 2_000) }, () => below(random, 256));
}

function damagedRecording(random: Random): Uint8Array {
  const bytes = oneOf(random, recorded).slice();
  for (let damages = below(random, 4); damages > 0; damages -= 1)
    bytes[below(random, bytes.length)] = below(random, 256);
  return bytes.subarray(0, 1 + below(random, bytes.length));
}
