import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import {
  NEVER,
  Observable,
  Subject,
  concatWith,
  map,
  merge,
  mergeMap,
  share,
  takeUntil,
  throwError,
} from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import type { Channel, Peer } from '../../src/transport/channel.js';
import type { Connection } from '../../src/connection/connection.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import type { Driver, Listener } from '../../src/drivers/driver.js';
import { memory, memoryChannels } from '../../src/drivers/memory.js';
import { serve } from '../../src/target/serve.js';
import { frameBytes } from '../../src/testing/bytes.js';
import { complianceServices } from '../../src/testing/compliance/compliance-services.js';
import {
  driverCompliance,
  type ComplianceSetup,
} from '../../src/testing/compliance/driver-compliance.js';

/** What the broken drivers leave open. */
const left: (() => void)[] = [];
afterEach(() => {
  for (const end of left.splice(0)) end();
});

/** How a driver over channels of memory is broken. */
interface Fault {
  /**
   * What becomes of the bytes that reach the initiator; the channel is cut when `cuts` emits.
   */
  readonly bytes?: (
    bytes: Observable<Uint8Array>,
    cuts: Observable<void>,
  ) => Observable<Uint8Array>;
  /** What the initiator's channel does otherwise than a sound one. */
  readonly channel?: (near: Channel) => Partial<Channel>;
  readonly peer?: Peer;
  /** Called for each connection. */
  readonly opening?: () => void;
  /** Whether unsubscribing lets the connection live. */
  readonly livesOn?: boolean;
}

function broken({
  bytes = (sound) => sound,
  channel: change = () => ({}),
  peer = { driver: 'memory' },
  opening = () => undefined,
  livesOn = false,
}: Fault): ComplianceSetup {
  const arrivals = new Subject<Channel>();
  const cuts = new Subject<void>();
  const driver: Driver = {
    name: 'memory',
    user: undefined,
    open: (options) =>
      new Observable<Connection>((out) => {
        opening();
        const [near, far] = memoryChannels();
        arrivals.next(far);
        const channel: Channel = {
          peer,
          bytes: bytes(near.bytes, cuts),
          drain: near.drain,
          isIdle: near.isIdle,
          framesApart: near.framesApart,
          write: (parts) => near.write(parts),
          pause: () => near.pause(),
          resume: () => near.resume(),
          close: () => near.close(),
          destroy: () => near.destroy(),
          ...change(near),
        };
        const connection = new TcpmConnection(
          channel,
          { side: 'initiator', user: undefined },
          options,
        );
        const ended = connection.ended.subscribe(out);
        out.next(connection);
        return () => {
          if (!livesOn) connection.dispose();
          ended.unsubscribe();
        };
      }),
  };
  const listener: Listener = {
    name: 'memory',
    accept: (options) =>
      arrivals.pipe(
        map(
          (channel) => new TcpmConnection(channel, { side: 'target', namesUser: false }, options),
        ),
      ),
  };
  const serving = serve(listener, complianceServices).subscribe();
  return { driver, cut: () => cuts.next(), stop: () => serving.unsubscribe() };
}

/** Runs the behaviour of that name over a setup; those that never end are given up soon. */
function run(setup: () => ComplianceSetup, name: string, within = 10_000): Promise<void> {
  const behaviour = driverCompliance(setup, { within }).find((one) => one.name.includes(name));
  if (behaviour === undefined) throw new Error(`no behaviour "${name}"`);
  return behaviour.run();
}

const unchanged = (bytes: Uint8Array): Uint8Array => bytes;
const inLarge = (change: (bytes: Uint8Array) => Uint8Array) => (bytes: Uint8Array) =>
  bytes.length > 10_000 ? change(bytes) : unchanged(bytes);
const withError = (bytes: Uint8Array): Uint8Array =>
  bytes.map((byte, at) => (at === 5_000 ? byte + 1 : byte));

const faults: readonly (readonly [string, Fault, Readonly<Record<string, RegExp>>])[] = [
  [
    'changes a byte',
    { bytes: (bytes) => bytes.pipe(map(inLarge(withError))) },
    {
      'both ways, and': /byte 5000 of stream 0 is 232 and should be 231/,
      'closes first still delivers': /byte 5000/,
      'stay readable': /byte 5000/,
    },
  ],
  [
    'loses bytes',
    { bytes: (bytes) => bytes.pipe(map(inLarge((chunk) => chunk.subarray(0, -1)))) },
    { 'both ways, and': /./, 'at once bring 64 MiB': /./, 'stay readable': /./ },
  ],
  [
    'never notices the end of the channel',
    { bytes: (bytes) => bytes.pipe(concatWith(NEVER)) },
    {
      'whose source fails': /not come to an end within 0.3 s/,
      'lost in the middle': /not come to an end/,
    },
  ],
  [
    'takes a cut for the end of all streams',
    {
      bytes: (bytes, cuts) => merge(bytes, cuts.pipe(map(() => frameBytes('499999:', '499998:')))),
    },
    {
      'lost in the middle': /Missing expected rejection/,
      'before the loss is complete': /Missing expected rejection/,
    },
  ],
  [
    'does not notice a cut',
    {},
    {
      'lost before the ACK': /Missing expected rejection/,
      'lost between the ACK': /Missing expected rejection/,
      'lost in the middle': /not come to an end/,
      'initiator sends': /not come to an end/,
    },
  ],
  [
    'delivers bytes twice',
    {
      bytes: (bytes) =>
        bytes.pipe(mergeMap((chunk) => (chunk.length > 10_000 ? [chunk, chunk] : [chunk]))),
    },
    { 'both ways, and': /./, 'at once bring 64 MiB': /./ },
  ],
  [
    'does not stop reading when it is told to',
    { channel: () => ({ pause: () => undefined }) },
    { 'pauses its source': /bytes came unread/ },
  ],
  [
    'does not go on reading when it may',
    { channel: () => ({ resume: () => undefined }) },
    { 'at most its budget': /not come to an end/ },
  ],
  [
    'never says that it is full',
    { channel: (near) => ({ write: (parts) => near.write(parts) || true }) },
    { 'has to wait': /./ },
  ],
  [
    'never says that there is room again',
    { channel: () => ({ drain: NEVER }) },
    { 'has to wait': /not come to an end/ },
  ],
  ['is another one', { peer: { driver: 'other' } }, { 'names its peer': /'other'/ }],
  [
    'has an address that is none',
    { peer: { driver: 'memory', address: 'here' } },
    { 'names its peer': /here is no address/ },
  ],
  [
    'does not end a connection that is unsubscribed',
    { livesOn: true },
    {
      'unsubscribed connection has ended': /not come to an end/,
      'waits for the ACK': /not come to an end/,
      'has released its': /not come to an end/,
    },
  ],
  [
    'leaves a timer',
    {
      opening: () => {
        // Several, since timers of the runner's own come and go.
        const timers = Array.from({ length: 5 }, () => setTimeout(() => undefined, 60_000));
        left.push(() => timers.forEach((timer) => clearTimeout(timer)));
      },
    },
    {
      'is answered': /the end these remain: \d Timeout$/,
      'cancelled at once': /the end these remain: \d+ Timeout$/,
    },
  ],
  [
    'leaves a socket',
    {
      opening: () => {
        const socket = createSocket('udp4').bind(0, '127.0.0.1');
        left.push(() => socket.close());
      },
    },
    { 'is answered': /the end these remain: 1 UDPWrap$/ },
  ],
  [
    'leaves a process',
    {
      opening: () => {
        const child = spawn('sleep', ['60'], { stdio: 'ignore' });
        left.push(() => child.kill());
      },
    },
    { 'is answered': /the end these remain: 1 ProcessWrap, process \d+ \(sleep 60\)$/ },
  ],
];

describe('the compliance suite', () => {
  describe.each(faults)('over a driver that %s', (_name, fault, findings) => {
    test.each(Object.entries(findings))('fails where "… %s …"', async (name, finding) => {
      await expect(
        run(
          () => broken(fault),
          name,
          /come to an end|these remain/.test(finding.source) ? 300 : 10_000,
        ),
      ).rejects.toThrow(finding);
    });
  });

  test('passes over the same driver when it is sound', async () => {
    const sound = (): ComplianceSetup =>
      broken({ bytes: (bytes, cuts) => bytes.pipe(takeUntil(cuts)) });
    for (const name of [
      'both ways, and',
      'whose source fails',
      'lost in the middle',
      'before the loss',
      'names its peer',
      'waits for the ACK',
      'is answered',
    ]) {
      await run(sound, name);
    }
  });

  test('fails over a driver that gives two initiators the same channel', async () => {
    const { driver, listener } = memory();
    const serving = serve(listener, complianceServices).subscribe();
    let first: Observable<Connection> | undefined;
    const mixing: Driver = {
      ...driver,
      open: (options) => (first ??= driver.open(options).pipe(share())),
    };
    await expect(
      run(() => ({ driver: mixing, stop: () => serving.unsubscribe() }), 'do not mix', 300),
    ).rejects.toThrow();
  });

  test('fails over a driver that reports a target where there is none, or does not find out', async () => {
    const { driver } = broken({});
    const deaf = (open: Driver['open']) => (): ComplianceSetup => ({
      driver,
      stop: () => undefined,
      nowhere: { ...driver, open },
    });
    await expect(
      run(
        deaf(() => NEVER),
        'when there is no target',
        300,
      ),
    ).rejects.toThrow(/come to an end/);
    await expect(
      run(
        deaf(() => throwError(() => new Error('no'))),
        'when there is no target',
      ),
    ).rejects.toThrow(/CONNECT_FAILED/);
  });

  test('skips the behaviours on loss, and says why, where the setup has no cut()', async () => {
    const reasons: string[] = [];
    const setup = (): ComplianceSetup => {
      const { driver, listener } = memory();
      const serving = serve(listener, complianceServices).subscribe();
      return { driver, stop: () => serving.unsubscribe() };
    };
    const losses = driverCompliance(setup).filter(
      ({ name }) => /lost|loss/.test(name) && !name.includes('read late'),
    );
    for (const { run: tried } of losses) await tried({ skip: (reason) => reasons.push(reason) });
    expect(reasons).toEqual(
      Array.from({ length: 5 }, () => 'the setup has no cut(), which breaks the channel'),
    );
  });
});
