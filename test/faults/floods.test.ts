import { fork } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, describe, expect, test } from 'vitest';
import { factor } from '../fuzz/runs.js';
import { askNoop, askWhile, latencies, showLatencies, type Latencies } from './load/honest.js';
import { Target, besides, told } from './load/program.js';

/** One flood against a target in a process of its own. */
interface Flood {
  readonly kind: string;
  /** How much of it in `npm run floods`, and in `npm test`. */
  readonly amount: readonly [whole: number, reduced: number];
  /** MiB by which the target may grow, in each. */
  readonly growth: readonly [whole: number, reduced: number];
  readonly options?: Readonly<Record<string, number>>;
  /** What there is of it in the end, besides. */
  readonly then?: (target: Target, done: Done, amount: number) => unknown;
}

/** What a flooder got done. */
type Done = Readonly<Record<string, unknown>>;

const which = factor > 1 ? 0 : 1;
const MIB = 1_048_576;
/** MiB more that V8 lets young objects have from Node 24 on. */
const MORE_YOUNG = Number.parseInt(process.versions.node, 10) < 24 ? 0 : 96;

/** All of it was sent, and the connections are there still and served. */
const isServed = (connections: number) => (_: Target, done: Done, amount: number) => {
  expect(done).toMatchObject({ sent: amount, alive: connections, served: connections });
};

const floods: readonly Flood[] = [
  { kind: 'empty frames', amount: [1_000_000, 1_000_000], growth: [64, 64], then: isServed(1) },
  { kind: 'handles', amount: [1_000_000, 30_000], growth: [128, 96], then: isServed(1) },
  { kind: 'frames of 4 MiB', amount: [1_000, 25], growth: [160, 128], then: isServed(1) },
  // Sixteen of them run, and keep their arguments.
  { kind: 'requests of 4 MiB', amount: [1_000, 25], growth: [320, 256], then: isServed(1) },
  {
    kind: 'requests',
    amount: [1_000_000, 16_000],
    growth: [160, 96],
    then: async (target, done, amount) => {
      isServed(8)(target, done, amount);
      // Sixteen a connection, and no more at any time.
      expect(await target.ask('running')).toMatchObject({ running: 128, mostRunning: 128 });
    },
  },
  // Of each the budget of 1 MiB and one frame.
  { kind: 'a stream nobody reads', amount: [50, 6], growth: [50 * 5 + 128, 6 * 5 + 96] },
  // A peer that does not read its refusals is not read from. Otherwise each could fill its send
  // budget of 16 MiB.
  { kind: 'answers nobody reads', amount: [60, 12], growth: [160, 112] },
  // A header that is not whole in time is the end of its connection.
  {
    kind: 'a slow header',
    amount: [500, 100],
    growth: [96, 64],
    options: { idleTimeout: 2_000 },
    then: (_, done) => expect(done).toMatchObject({ alive: 0 }),
  },
  // By default 512 places are for strangers, and a peer that sends a request finds room.
  {
    kind: 'silence',
    amount: [5_000, 1_500],
    growth: [192, 128],
    then: (target) =>
      expect.poll(() => target.descriptors(), { timeout: 20_000 }).toBeLessThan(600),
  },
  {
    kind: 'silence',
    amount: [5_000, 1_500],
    growth: [256, 160],
    options: { maxConnections: 6_000 },
    then: (target, _, amount) =>
      expect.poll(() => target.descriptors(), { timeout: 20_000 }).toBeGreaterThan(amount),
  },
  {
    kind: 'endless replies',
    amount: [64, 8],
    growth: [448, 160],
    then: (target) => expect.poll(() => target.children(), { timeout: 10_000 }).toBe(0),
  },
];

const table: string[] = [];
afterAll(() => {
  console.log(
    ['flood: noop beside it and before it (p50 / p99 / max), memory', ...table].join('\n'),
  );
});

describe('honest peers are served, and memory stays bounded, in a flood of', () => {
  test.each(floods.map((flood) => ({ ...flood, title: flood.kind + shownOptions(flood.options) })))(
    '$title',
    { timeout: 180_000 },
    async ({ kind, title, amount: amounts, growth, options, then }) => {
      const amount = amounts[which];
      const target = await Target.start(options);
      try {
        const before = await alone(target.port);
        const start = target.peakRss();
        const began = performance.now();
        const flooder = fork(besides('flooder.mjs'), [kind, String(target.port), String(amount)]);
        const over = told(flooder, 'done');
        const during = await askWhile(target.port, over);
        const done = await over;
        const seconds = (performance.now() - began) / 1_000;
        const grown = (target.peakRss() - start) / MIB;
        table.push(
          `${`${amount} ${title}`.padEnd(36)} ${seconds.toFixed(1).padStart(5)} s  ${showLatencies(during)}; before ${showLatencies(before)}; peak RSS ${(target.peakRss() / MIB).toFixed(0)} MiB, +${grown.toFixed(0)}`,
        );
        await then?.(target, done, amount);
        const gone = once(flooder, 'exit');
        flooder.send('go');
        await gone;
        expect(target.isRunning).toBe(true);
        expect(grown).toBeLessThan(growth[which] + MORE_YOUNG);
        // Bounds for a machine that does much else besides; what is printed is what is worth a
        // look.
        expect(during.p50).toBeLessThan(1_000);
        expect(during.max).toBeLessThan(10_000);
        await askNoop(target.port);
      } finally {
        await target.stop();
      }
    },
  );
});

/** Noops while nothing else happens; the first ones compile the code. */
async function alone(port: number): Promise<Latencies> {
  const taken: number[] = [];
  for (let count = 0; count < 30; count += 1) taken.push(await askNoop(port));
  return latencies(taken.slice(5));
}

function shownOptions(options: Readonly<Record<string, number>> = {}): string {
  return Object.entries(options)
    .map(([name, value]) => ` (${name} ${value})`)
    .join('');
}
