import { expect, test } from 'vitest';
import { startServed, type Served } from './load/amandad.js';
import { randomFrom } from '../fuzz/random.js';
import { anyDeed } from './load/traffic.js';

/** Minutes of traffic; `npm run soak` sets 30. */
const minutes = Number(process.env['SOAK_MINUTES'] ?? 0.1);
const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_124);
const milliseconds = minutes * 60_000;
/**
 * Traffic for so long, and then a rest, in which everything has to be as it was at the first rest.
 */
const ROUND = Math.min(20_000, milliseconds / 4);
/** Peers at once. */
const PEERS = 6;
/** How long a connection may take to end completely: unsent bytes are kept for 30 s. */
const MOST_REST = 45_000;

/** What an idle target holds. */
interface Rest {
  /** Minutes since the beginning. */
  readonly at: number;
  readonly rss: number;
  readonly heap: number;
  readonly descriptors: number;
  readonly children: number;
  /** Timers and sockets, by kind. */
  readonly resources: string;
}

const MIB = 1_048_576;

test(
  `for ${minutes} minutes of mixed traffic a target stays as it is`,
  { timeout: milliseconds * 2 + 240_000 },
  async () => {
    const served = await startServed();
    const done = new Map<string, number>();
    const wrong: string[] = [];
    const rests: Rest[] = [];
    const began = Date.now();
    const random = randomFrom(seed);
    console.log(`seed ${seed}, ${served.name}, ${PEERS} peers at once`);
    try {
      // A rest alone says nothing: it is what later ones are held to.
      while (Date.now() - began < milliseconds || rests.length < 3) {
        const until = Date.now() + ROUND;
        const peer = async (): Promise<void> => {
          while (Date.now() < until) {
            const { name, wrong: error } = await anyDeed(served, random);
            done.set(name, (done.get(name) ?? 0) + 1);
            if (error !== undefined)
              wrong.push(
                `${name}: ${error instanceof Error ? error.message : JSON.stringify(error)}`,
              );
          }
        };
        await Promise.all(Array.from({ length: PEERS }, peer));
        const rest = await atRest(served, rests[0], began);
        rests.push(rest);
        if (minutes >= 1) console.log(show(rest, done));
      }
      console.log(verdict(rests, done, served));
      expect(wrong).toEqual([]);
      judge(rests);
    } finally {
      await served.close();
    }
  },
);

/**
 * Waits until sockets, timers and children are what they were at the first rest, as long as that
 * may take.
 */
async function atRest(served: Served, first: Rest | undefined, began: number): Promise<Rest> {
  const until = Date.now() + MOST_REST;
  for (let before: Rest | undefined; ;) {
    const rest = await look(served, began);
    const isSettled =
      first === undefined
        ? before !== undefined && alike(rest, before) && rest.children === 0
        : alike(rest, first);
    if (isSettled || Date.now() > until) return rest;
    before = rest;
    await new Promise((resolve) => setTimeout(resolve, first === undefined ? 3_000 : 250));
  }
}

async function look({ target }: Served, began: number): Promise<Rest> {
  const { rss, heap, resources } = await target.figures();
  const counts = new Map<string, number>();
  for (const kind of resources) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const shown = [...counts].map(([kind, count]) => `${kind} ${count}`).sort();
  return {
    at: (Date.now() - began) / 60_000,
    rss,
    heap,
    descriptors: target.descriptors(),
    children: target.children(),
    resources: shown.join(', '),
  };
}

function alike(one: Rest, other: Rest): boolean {
  return (
    one.descriptors === other.descriptors &&
    one.children === other.children &&
    one.resources === other.resources
  );
}

/**
 * By how much a figure grows in a minute. It is the median of the slopes between any two rests, so
 * single figures before a collection do not count.
 */
function slope(rests: readonly Rest[], figure: (rest: Rest) => number): number {
  const slopes = rests.flatMap((one, at) =>
    rests.slice(at + 1).map((other) => (figure(other) - figure(one)) / (other.at - one.at)),
  );
  return slopes.sort((a, b) => a - b)[slopes.length >> 1] ?? 0;
}

/** The first third is for warming up: pools and compiled code. */
function warm(rests: readonly Rest[]): readonly Rest[] {
  return rests.slice(Math.floor(rests.length / 3));
}

function judge(rests: readonly Rest[]): void {
  const [first] = rests;
  for (const { descriptors, children, resources } of rests) {
    expect({ descriptors, children, resources }).toEqual({
      descriptors: first?.descriptors,
      children: 0,
      resources: first?.resources,
    });
  }
  if (minutes < 5) return;
  const grown = (figure: (rest: Rest) => number): number =>
    (slope(warm(rests), figure) * minutes) / MIB;
  // In half an hour: what a leak of a few hundred bytes a connection would make.
  expect(grown(({ heap }) => heap)).toBeLessThan(2);
  expect(grown(({ rss }) => rss)).toBeLessThan(24);
}

function show(
  { at, rss, heap, descriptors, children, resources }: Rest,
  done: ReadonlyMap<string, number>,
): string {
  const deeds = [...done.values()].reduce((sum, count) => sum + count, 0);
  return `${at.toFixed(1).padStart(5)} min  ${deeds} deeds  RSS ${mebibytes(rss)}  heap ${mebibytes(heap)}  ${descriptors} descriptors  ${children} children  ${resources}`;
}

function verdict(
  rests: readonly Rest[],
  done: ReadonlyMap<string, number>,
  { target }: Served,
): string {
  const part = warm(rests);
  const perMinute = (figure: (rest: Rest) => number): string =>
    `${(slope(part, figure) / 1_024).toFixed(1)} KiB a minute`;
  const deeds = [...done].map(([name, count]) => `${name} ${count}`).join(', ');
  const growth = `RSS ${perMinute(({ rss }) => rss)}, heap ${perMinute(({ heap }) => heap)}`;
  return `${deeds}\n${rests.length} rests; from a third on: ${growth}; peak RSS ${mebibytes(target.peakRss())}`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
