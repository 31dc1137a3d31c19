import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { factor } from '../fuzz/runs.js';
import { Workshop, contentOf, type Way } from './load/dumping.js';
import { processesOf, type Role } from './load/processes.js';
import { Target } from './load/program.js';
import { below, oneOf, randomFrom, type Random } from '../fuzz/random.js';

const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_124);
/** Rounds in `npm run faults`, and in `npm test`. */
const ROUNDS = factor > 1 ? 200 : 12;
/** Dumps at once. */
const LANES = 3;
/** Milliseconds that a dump may take in all, killed or not, before it counts as one that hangs. */
const PATIENCE = 60_000;

/** The programs to kill on each way. */
const victims: Readonly<Record<Way, readonly [Role, ...Role[]]>> = {
  local: ['initiator', 'target', 'service'],
  ssh: ['initiator', 'target', 'service', 'ssh'],
  bsdtcp: ['initiator', 'target'],
};

/** What became of a round. */
interface Outcome {
  readonly way: Way;
  readonly victim: Role;
  /** Whether the victim was there to be killed. */
  readonly hit: boolean;
  readonly end: 'whole' | 'failed' | 'killed';
  /** What must not be. */
  readonly wrong: readonly string[];
}

/** One lane of rounds, with a target of its own where that is a daemon. */
interface Lane {
  readonly name: string;
  readonly random: Random;
  target: Target | undefined;
}

test(
  `in ${ROUNDS} rounds of kill -9 under load nothing succeeds wrongly and nothing is left behind`,
  { timeout: ROUNDS * 20_000 + 60_000 },
  async () => {
    const shop = await Workshop.open(48);
    const ways = (['local', 'ssh', 'bsdtcp'] as const).filter(
      (way) => Workshop.whyNot(way) === undefined,
    );
    const lanes = Array.from({ length: LANES }, (_, lane): Lane => ({
      name: `${process.pid}-${lane}`,
      random: randomFrom(seed + lane),
      target: undefined,
    }));
    const outcomes: Outcome[] = [];
    try {
      for (const lane of lanes)
        lane.target = ways.includes('bsdtcp') ? await Target.start() : undefined;
      const whole = await wholeDumps(shop, ways, lanes[0]);
      let left = ROUNDS;
      const work = async (lane: Lane): Promise<void> => {
        while (left-- > 0)
          outcomes.push(
            await round(
              shop,
              lane,
              `${lane.name}-${left}`,
              oneOf(lane.random, ways as [Way, ...Way[]]),
              whole,
            ),
          );
      };
      await Promise.all(lanes.map(work));
      console.log(table(outcomes));
      expect(
        outcomes.flatMap(({ way, victim, wrong }) =>
          wrong.map((what) => `${way}, ${victim}: ${what}`),
        ),
      ).toEqual([]);
      expect(outcomes.filter(({ hit }) => hit).length).toBeGreaterThan(ROUNDS / 2);
      for (const { target } of lanes)
        if (target !== undefined)
          await expect.poll(() => connectionsOf(target.port), { timeout: 10_000 }).toEqual([]);
    } finally {
      for (const { target } of lanes) await target?.stop();
      await shop.close();
    }
  },
);

/** What an unharmed dump holds on each way, and how long it takes. */
async function wholeDumps(
  shop: Workshop,
  ways: readonly Way[],
  lane: Lane | undefined,
): Promise<ReadonlyMap<Way, { readonly content: string; readonly milliseconds: number }>> {
  const whole = new Map<Way, { content: string; milliseconds: number }>();
  for (const way of ways) {
    const file = join(shop.folder, `whole-${way}`);
    const began = performance.now();
    const child = shop.dump(way, `whole-${way}`, file, lane?.target);
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    const content = await contentOf(file, way);
    expect([way, code, said, typeof content]).toEqual([way, 0, '', 'string']);
    whole.set(way, { content: content ?? '', milliseconds: performance.now() - began });
    rmSync(file);
  }
  return whole;
}

async function round(
  shop: Workshop,
  lane: Lane,
  name: string,
  way: Way,
  whole: Awaited<ReturnType<typeof wholeDumps>>,
): Promise<Outcome> {
  const { random } = lane;
  const victim = oneOf(random, victims[way]);
  const { content, milliseconds } = whole.get(way) ?? { content: '', milliseconds: 0 };
  const folder = join(shop.folder, name);
  mkdirSync(folder);
  const file = join(folder, 'dump');
  const child = shop.dump(way, name, file, lane.target);
  child.stdout?.resume();
  child.stderr?.resume();
  const ended = once(child, 'close') as Promise<[number | null]>;
  // Half of them at any time, half while the data flow.
  const moment =
    random() < 0.5
      ? wait(below(random, milliseconds))
      : flowing(folder, ended).then(() => wait(below(random, 400)));
  await Promise.race([moment, ended]);
  const hit = await kill(victim, way, name, lane, () => child.exitCode !== null, random);
  const over = await Promise.race([ended, wait(PATIENCE).then(() => undefined)]);
  const wrong: string[] = [];
  if (over === undefined) {
    wrong.push('the initiator hangs');
    child.kill('SIGKILL');
    await ended;
  }
  const code = over?.[0];
  const found = await contentOf(file, way);
  if (code === 0 && found !== content)
    wrong.push(`exit code 0, and the dump is ${found === undefined ? 'not there' : 'another one'}`);
  // A program that is killed after its last step leaves what it has done.
  const isDone = code === null && found === content;
  if (code !== 0 && found !== undefined && !isDone)
    wrong.push(`exit code ${code ?? 'none'}, and a file under the final name`);
  if (code === undefined || (code !== null && code > 3)) wrong.push(`exit code ${code}`);
  const others = readdirSync(folder).filter((entry) => entry !== 'dump');
  if (code !== null && others.length > 0) wrong.push(`left behind: ${others.join(', ')}`);
  wrong.push(...(await orphans(name)));
  rmSync(folder, { recursive: true });
  return {
    way,
    victim,
    hit,
    end: code === 0 ? 'whole' : code === null ? 'killed' : 'failed',
    wrong,
  };
}

/** When the first bytes are in a file that has no name yet, or all is over. */
async function flowing(folder: string, ended: Promise<unknown>): Promise<void> {
  let isOver = false;
  void ended.then(() => (isOver = true));
  const hasData = (): boolean =>
    readdirSync(folder).some((entry) => sizeOf(join(folder, entry)) > 40_000);
  while (!isOver && !hasData()) await wait(5);
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Kills the victim as soon as it is there, unless the dump is over before; a daemon is started anew
 * on the port it had.
 */
async function kill(
  victim: Role,
  way: Way,
  name: string,
  lane: Lane,
  isOver: () => boolean,
  random: Random,
): Promise<boolean> {
  if (way === 'bsdtcp' && victim === 'target' && lane.target !== undefined) {
    if (isOver()) return false;
    const { port } = lane.target;
    await lane.target.stop();
    lane.target = await Target.start({ port });
    return true;
  }
  while (!isOver()) {
    const there = processesOf(name).filter(({ role }) => role === victim);
    const chosen = there[below(random, there.length)];
    if (chosen !== undefined) {
      process.kill(chosen.pid, 'SIGKILL');
      return true;
    }
    await wait(5);
  }
  return false;
}

/**
 * What is still there of a round when all of it should have ended; it is killed, so that later
 * rounds do not suffer.
 */
async function orphans(name: string): Promise<readonly string[]> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (processesOf(name).length === 0) return [];
    await wait(100);
  }
  return processesOf(name).map(({ pid, command }) => {
    process.kill(pid, 'SIGKILL');
    return `an orphan: ${command.slice(0, 100)}`;
  });
}

/**
 * The connections of a port that are neither listening (0A) nor over (06, TIME_WAIT), as /proc has
 * them.
 */
function connectionsOf(port: number): readonly string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, local = '', , state = '']) => local.endsWith(wanted) && state !== '0A' && state !== '06',
    )
    .map((words) => words.slice(1, 4).join(' '));
}

function table(outcomes: readonly Outcome[]): string {
  const rows = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const key = `${outcome.way}, ${outcome.victim}`;
    rows.set(key, [...(rows.get(key) ?? []), outcome]);
  }
  const lines = [...rows].sort().map(([key, some]) => {
    const count = (end: Outcome['end']): number => some.filter((one) => one.end === end).length;
    const hits = some.filter(({ hit }) => hit).length;
    return `  ${key.padEnd(20)} ${some.length} rounds, ${hits} killed; the initiator: ${count('failed')} failed, ${count('whole')} whole, ${count('killed')} killed itself`;
  });
  const wrong = outcomes.flatMap((one) => one.wrong).length;
  return [
    `seed ${seed}: ${outcomes.length} rounds of kill -9, ${outcomes.filter(({ hit }) => hit).length} hit, ${wrong} wrong`,
    ...lines,
  ].join('\n');
}
