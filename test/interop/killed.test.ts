import { mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { growTree } from '../support/big-tree.js';
import {
  describeReal,
  openLab,
  programs,
  type Configuration,
  type Lab,
} from '../support/real-amanda.js';
import { giveToBackup } from '../support/sandbox.js';
import { installRxAmandad } from '../support/rx-amandad.js';

const MIB = 1_048_576;
/** How much of a dump has come when a process of its client is killed. */
const HALF_WAY = 4 * MIB;

/**
 * What is killed, by its command line. The shell that starts a program has the same words, so each
 * pattern begins with the program itself.
 */
const victims = {
  'GNU tar': /^\S*\/?(?:gnu)?tar .*--create/,
  'the real sendbackup': /^\S*sendbackup amandad/,
  'rx-amandad itself': /^\S*node \S*rx-amandad\.cjs/,
} as const;

type Victim = keyof typeof victims;
type Auth = 'bsdtcp' | 'local';

/** Over local the image goes through shared memory, which the death of a process does not close. */
const cases: readonly (readonly [victim: Victim, auth: Auth, words: readonly string[]])[] = [
  ['GNU tar', 'bsdtcp', []],
  ['the real sendbackup', 'bsdtcp', []],
  ['rx-amandad itself', 'bsdtcp', []],
  ['GNU tar', 'bsdtcp', ['-own']],
  ['the real sendbackup', 'local', []],
  ['rx-amandad itself', 'local', []],
];

describeReal(
  'a dump by the real amdump of which one process is killed half way',
  ['amdump', 'amreport', 'amadmin'],
  () => {
    let lab: Lab;
    let tree: string;
    beforeAll(() => {
      lab = openLab();
      tree = join(lab.sandbox.directory, 'tree');
      mkdirSync(tree);
      growTree(tree, 96);
      giveToBackup(tree);
    });
    afterAll(() => lab.close());

    it.each(cases)(
      '%s, over %s, rx-amandad %j: it is FAILED, and what is kept of it is called PARTIAL',
      { timeout: 170_000 },
      async (victim, auth, words) => {
        const amandad = installRxAmandad(lab.sandbox, ...words);
        const name = `killed-${victim.replaceAll(' ', '-')}-${auth}${words.join('')}`;
        let { config, code, kills } = await killed(victim, auth, amandad, name);
        // On a busy machine a dump may be over before this process gets its turn.
        for (let tries = 2; kills === 0 && tries <= 5; tries += 1)
          ({ config, code, kills } = await killed(victim, auth, amandad, `${name}-${tries}`));
        const report = (await lab.asBackup(programs.amreport, [config.name, '--text=-'])).stdout;
        const found = (await lab.asBackup(programs.amadmin, [config.name, 'find', 'localhost']))
          .stdout;
        const said = [report, found].join('\n');
        expect(kills, said).toBeGreaterThan(0);
        expect(code, said).not.toBe(0);
        expect(report, said).toMatch(/^ *localhost gnu lev 0 +FAILED /m);
        const kept = found.split('\n').filter((line) => line.includes(' gnu '));
        expect(kept.length, said).toBeGreaterThan(0);
        expect(kept.filter((line) => !/ (?:FAILED|PARTIAL)\b/.test(line))).toEqual([]);
      },
    );

    async function killed(victim: Victim, auth: Auth, amandad: string, name: string) {
      const { config, close } = await configured(auth, amandad, name);
      const dumping = lab.asBackup(programs.amdump, [config.name], { timeout: 150_000 });
      const kills = await killDuring(dumping, config, victims[victim]);
      const { code } = await dumping;
      await close();
      return { config, code, kills };
    }

    async function configured(
      auth: Auth,
      amandad: string,
      name: string,
    ): Promise<{ readonly config: Configuration; readonly close: () => Promise<void> }> {
      const disks = [{ name: 'gnu', path: tree }];
      if (auth === 'local')
        return {
          config: lab.configure({ name, auth, amandadPath: amandad, disks }),
          close: () => Promise.resolve(),
        };
      const target = await lab.spawnTarget({ command: amandad, args: ['-auth=bsdtcp', 'amdump'] });
      return {
        config: lab.configure({ name, auth, clientPort: target.port, disks }),
        close: () => target.close(),
      };
    }
  },
);

/**
 * Kills the victim whenever it is there and enough of the dump has come, because Amanda tries a
 * failed dump again.
 */
async function killDuring(
  dumping: Promise<unknown>,
  config: Configuration,
  victim: RegExp,
): Promise<number> {
  let [isOver, kills] = [false, 0];
  const over = dumping.finally(() => (isOver = true));
  while (!isOver) {
    if (received(config) > HALF_WAY) kills += killAll(victim);
    await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 10))]);
  }
  return kills;
}

/** Bytes in the holding disk. */
function received({ holding }: Configuration): number {
  const files = readdirSync(holding).flatMap((day) => filesOf(join(holding, day)));
  return files.reduce(
    (sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

/** Empty if amdump has just removed the folder. */
function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder).map((file) => join(folder, file));
  } catch {
    return [];
  }
}

/** Kills descendants of this process by their command line. */
function killAll(command: RegExp): number {
  const found = descendants(String(process.pid)).filter((pid) =>
    command.test(read(`/proc/${pid}/cmdline`).split('\0').join(' ')),
  );
  for (const pid of found) process.kill(Number(pid), 'SIGKILL');
  return found.length;
}

function descendants(pid: string): readonly string[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** Empty for a process that is gone. */
function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
