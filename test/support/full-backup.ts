import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { growTree } from './big-tree.js';
import {
  type Configuration,
  type Lab,
  oddTree,
  openLab,
  programs,
  type RunResult,
  treeLines,
} from './real-amanda.js';
import type { Started } from './rx-amandad.js';

/** How the programs of the server reach a target. */
export interface Way {
  readonly auth: 'bsdtcp' | 'local' | 'ssl' | 'ssh' | 'bsdudp' | 'bsd';
  readonly clientPort?: number;
  readonly amandadPath?: string;
  /** What else amrecover is told of it, as `KEY=VALUE`. */
  readonly options?: readonly string[];
  readonly close?: () => Promise<void>;
  /** What the target has said, for the message of a failing test. */
  readonly messages?: () => string;
}

/** To a target that listens. */
export function overBsdtcp({ port, close, messages }: Omit<Started, 'pid'>): Way {
  return { auth: 'bsdtcp', clientPort: port, close, messages };
}

export interface FullBackupOptions {
  /** Starts the target, or says how it is started. */
  readonly reach: (lab: Lab) => Promise<Way> | Way;
  /** Megabytes that the tree has besides its odd names; default none. */
  readonly megabytes?: number;
  /** Further tests of the two runs. */
  readonly also?: (run: () => FullBackup) => void;
}

/** A configuration that has been dumped twice. */
export interface FullBackup {
  readonly lab: Lab;
  readonly way: Way;
  readonly config: Configuration;
  /** What was dumped, as it is after the second run. */
  readonly tree: string;
  /** {@link treeLines} as each of the runs saw the tree. */
  readonly states: readonly (readonly string[])[];
}

/** The two disks: the same tree, by both ways to dump it. */
const disks = { gnu: 'GNUTAR', app: 'amgtar' } as const;
const kinds = ['gnu', 'app'] as const;
type Kind = (typeof kinds)[number];

/** For the tests of a suite that runs beside others. */
export const ONE_BY_ONE = { concurrent: false } as const;

/** Names of the real programs that {@link describeFullBackup} needs. */
export const needed = [
  'amcheck',
  'amdump',
  'amadmin',
  'amreport',
  'amrecover',
  'amfetchdump',
] as const;

/**
 * What an administrator does with a new client, with the real programs except amandad. It is
 * checked, and two disks are dumped at once, in full and then what has changed. The reports are
 * read, and the dumps restored. Such suites wait most of the time and run side by side; the tests
 * of each run in order.
 */
export function describeFullBackup(
  title: string,
  { reach, megabytes = 0, also }: FullBackupOptions,
): void {
  describe.concurrent(title, () => {
    let lab: Lab;
    let run: FullBackup;
    // Real Amanda names files in /tmp/amanda after the disk, and suites run side by side.
    const mark = randomBytes(3).toString('hex');
    const nameOf = (kind: Kind): string => `${kind}${mark}`;
    const dumps: RunResult[] = [];
    const reports: string[] = [];
    let check: RunResult;

    beforeAll(async () => {
      lab = openLab();
      const way = await reach(lab);
      const tree = join(lab.sandbox.directory, 'tree');
      oddTree(tree);
      if (megabytes > 0) growTree(tree, megabytes);
      const config = lab.configure({
        ...way,
        disks: kinds.map((kind) => ({ name: nameOf(kind), path: tree, program: disks[kind] })),
        incremental: true,
      });
      check = await lab.asBackup(programs.amcheck, ['-c', config.name]);
      const states = [treeLines(tree)];
      run = { lab, way, config, tree, states };
      await dump();
      change(tree);
      states.push(treeLines(tree));
      await lab.asBackup(programs.amadmin, [config.name, 'force-level-1', 'localhost']);
      await dump();
    }, 180_000);
    afterAll(async () => {
      await run?.way.close?.();
      await lab.close();
    });

    async function dump(): Promise<void> {
      dumps.push(await lab.asBackup(programs.amdump, [run.config.name], { timeout: 100_000 }));
      const report = await lab.asBackup(programs.amreport, [run.config.name, '--text=-']);
      reports.push(report.stdout + report.stderr);
    }

    it('amcheck finds no problem', ONE_BY_ONE, () => {
      expect([check.stdout, check.code]).toEqual([expect.stringContaining('0 problems found'), 0]);
    });

    it.for([0, 1])(
      'amdump makes dumps of level %i, and amreport knows of nothing failed or strange',
      ONE_BY_ONE,
      async (level, { annotate }) => {
        await annotate(reports[level] ?? '', 'amreport');
        const { code, stdout, stderr } = dumps[level] ?? expect.unreachable();
        expect(
          code,
          [stdout, stderr, reports[level], run.way.messages?.(), lab.sandbox.logs()].join('\n'),
        ).toBe(0);
        const report = parseReport(reports[level] ?? '');
        expect(report, reports[level]).toEqual({
          troubles: [],
          dumped: kinds
            .map(nameOf)
            .toSorted()
            .map((disk) => ({ disk, level })),
        });
      },
    );

    it.each(kinds)('amfetchdump gives back what each run saw of %s', ONE_BY_ONE, async (kind) => {
      const disk = nameOf(kind);
      const directory = join(lab.sandbox.directory, `fetched-${disk}`);
      mkdirSync(directory);
      for (const level of [0, 1]) {
        const fetched = await lab.asBackup(
          programs.amfetchdump,
          ['-p', run.config.name, 'localhost', `^${disk}$`, '20', `^${level}$`],
          { timeout: 60_000 },
        );
        expect(fetched.code, fetched.stderr).toBe(0);
        const { status, stderr } = spawnSync('tar', ['-xpGf', '-', '-C', directory], {
          input: fetched.output,
        });
        expect(status, String(stderr)).toBe(0);
        expect(treeLines(directory)).toEqual(run.states[level]);
      }
    });

    it.each(kinds)('amrecover restores %s from both levels', ONE_BY_ONE, async (kind) => {
      const disk = nameOf(kind);
      const directory = join(lab.sandbox.directory, `recovered-${disk}`);
      await recover(run, { disk, directory });
      expect(treeLines(directory)).toEqual(run.states[1]);
    });

    it('amrecover restores a file and a folder alone', ONE_BY_ONE, async () => {
      const directory = join(lab.sandbox.directory, 'recovered-alone');
      await recover(run, {
        disk: nameOf('gnu'),
        directory,
        commands: ['add plain.txt', 'cd "  blanks  "', 'add .'],
      });
      expect(readdirSync(directory).toSorted()).toEqual(['  blanks  ', 'plain.txt']);
    });

    it('the real amandad was never started', ONE_BY_ONE, () => {
      expect(readdirSync(lab.sandbox.log)).not.toContain('amandad');
    });

    also?.(() => run);
  });
}

/**
 * Restores with amrecover, as root, into a new folder.
 *
 * Two programs of amrecover race to write to amidxtaped. When the wrong one wins, the real
 * amidxtaped dies, with any amandad. Its log says so, and only then is the restore done again.
 */
export async function recover(run: Recoverable, wanted: Wanted): Promise<RunResult> {
  for (let tries = 1; ; tries += 1) {
    const before = racesLost(run);
    mkdirSync(wanted.directory);
    const recovered = await amrecover(run, wanted);
    if (racesLost(run) === before || tries === 5) {
      expect(recovered.code, recovered.stdout + recovered.stderr).toBe(0);
      return recovered;
    }
    rmSync(wanted.directory, { recursive: true });
  }
}

/** What there is to recover from, and how. */
export interface Recoverable extends Pick<FullBackup, 'lab' | 'way' | 'config'> {
  /** Runs amrecover as root; default as the lab does. */
  readonly asRoot?: Lab['asRoot'];
}

export interface Wanted {
  readonly disk: string;
  /** Does not exist yet. */
  readonly directory: string;
  /** What amrecover is told between choosing the disk and extracting; default to add everything. */
  readonly commands?: readonly string[];
  /** How many questions it asks while it extracts. Default 3: two tapes, and the owner. */
  readonly questions?: number;
}

/**
 * How often an amidxtaped got `DAR` before `DATA-READY`. It takes that for an error, and dies of a
 * class that it has not loaded.
 */
function racesLost({ lab }: Recoverable): number {
  return (
    lab.sandbox
      .logs()
      .split(
        'amidxtaped: critical (fatal): Can\'t locate object method "new" via package "Amanda::FetchDump::Message"',
      ).length - 1
  );
}

function amrecover(
  { lab, way, config, asRoot }: Recoverable,
  { disk, directory, commands = ['add .'], questions = 3 }: Wanted,
): Promise<RunResult> {
  const { auth, clientPort = '', amandadPath = '', options: more = [] } = way;
  const options = [
    `auth=${auth}`,
    `client-port=${clientPort}`,
    `amandad-path=${amandadPath}`,
    ...more,
  ].filter((option) => !option.endsWith('='));
  const words = [
    config.name,
    '-s',
    'localhost',
    '-t',
    'localhost',
    ...options.flatMap((option) => ['-o', option]),
  ];
  const input = [
    'sethost localhost',
    `setdisk ${disk}`,
    ...commands,
    'extract',
    ...Array<string>(questions).fill('Y'),
    'quit',
    '',
  ].join('\n');
  return (asRoot ?? lab.asRoot)(programs.amrecover, words, {
    cwd: directory,
    input,
    timeout: 60_000,
  });
}

/** What happens to a file system between two runs. */
function change(tree: string): void {
  writeFileSync(join(tree, 'plain.txt'), 'hello again\n', { flag: 'a' });
  writeFileSync(join(tree, 'new file'), 'new\n');
  writeFileSync(join(tree, '  blanks  ', 'new too'), 'new\n');
  rmSync(join(tree, 'empty file'));
  renameSync(join(tree, 'grün 日本 🎈'), join(tree, 'renamed 🎈'));
}

/** What a report says of trouble, and which level of which disk was dumped. */
export function parseReport(text: string): {
  readonly troubles: readonly string[];
  readonly dumped: readonly { readonly disk: string; readonly level: number }[];
} {
  const lines = text.split('\n');
  const table = lines.slice(lines.findIndex((line) => line.startsWith('DUMP SUMMARY')));
  const dumped = table.flatMap((line) => {
    const [, disk, level] = /^localhost\s+(\S+)\s+(\d)\s+\d+\s+\d+/.exec(line) ?? [];
    return disk === undefined ? [] : [{ disk, level: Number(level) }];
  });
  return {
    troubles: lines.filter((line) => /FAIL|STRANGE|ERROR|MISSING|PARTIAL|strange/.test(line)),
    dumped: dumped.toSorted((a, b) => (a.disk < b.disk ? -1 : 1)),
  };
}
