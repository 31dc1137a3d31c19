import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recover } from '../support/full-backup.js';
import { rxAmanda, rxAmandad } from '../support/program.js';
import {
  type Configuration,
  describeReal,
  type Lab,
  oddTree,
  openLab,
  programs,
  type RunResult,
  treeLines,
} from '../support/real-amanda.js';

const services = ['amdump', 'amindexd', 'amidxtaped'];

/** A tap that runs as root: it needs reserved ports, as ambind has them for Amanda. */
interface Tap {
  readonly port: number;
  /**
   * Waits for the connections to end, then ends it as Ctrl-C does; what it has shown, and its exit
   * code.
   */
  readonly end: () => Promise<{ readonly shown: string; readonly code: number | null }>;
}

async function startTap(target: number, options: readonly string[] = []): Promise<Tap> {
  const child: ChildProcess = spawn(
    process.execPath,
    [rxAmanda, 'tap', '0', `127.0.0.1:${target}`, ...options],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const shown: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => shown.push(chunk));
  const closed = once(child, 'close') as Promise<[number | null]>;
  const port = await new Promise<number>((resolve, reject) => {
    const said: string[] = [];
    createInterface({ input: child.stderr as Readable }).on('line', (line) => {
      said.push(line);
      const [, found] = /listening on 127\.0\.0\.1 port (\d+)/.exec(line) ?? [];
      if (found !== undefined) resolve(Number(found));
    });
    child.once('exit', () => reject(new Error(said.join('\n'))));
  });
  return {
    port,
    end: async () => {
      await new Promise<void>((resolve) => {
        const look = (): void => {
          const text = Buffer.concat(shown).toString();
          if (count(text, / {3}opened by /g) === count(text, / {3}closed: /g)) resolve();
        };
        child.stdout?.on('data', look);
        child.once('exit', () => resolve());
        look();
      });
      child.kill('SIGINT');
      const [code] = await closed;
      return { shown: Buffer.concat(shown).toString(), code };
    },
  };
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

/** How many events of each kind, and how many bytes, each lane of a recording has. */
function sumsIn(recording: string): readonly string[] {
  const sums = new Map<string, { events: number; bytes: number }>();
  for (const line of recording.split('\n').slice(1, -1)) {
    const { kind, connection, change } = JSON.parse(line) as RecordedStep;
    if (kind !== 'change' || change?.event === undefined) continue;
    const { count = 1, bytes = 0, direction = '', kind: what } = change.event;
    const name = `${connection} ${change.lane ?? ''} ${direction} ${what}`;
    const sum = sums.get(name) ?? { events: 0, bytes: 0 };
    sums.set(name, { events: sum.events + count, bytes: sum.bytes + bytes });
  }
  return [...sums].map(([name, { events, bytes }]) => `${name}: ${events}, ${bytes} bytes`).sort();
}

interface RecordedStep {
  readonly kind: string;
  readonly connection: number;
  readonly change?: {
    readonly lane?: string;
    readonly event?: {
      readonly kind: string;
      readonly count?: number;
      readonly bytes?: number;
      readonly direction?: string;
    };
  };
}

describeReal(
  'a tap between the real programs',
  ['amandad', 'amservice', 'amcheck', 'amdump', 'amrecover', 'amfetchdump'],
  () => {
    let lab: Lab;
    let tree = '';
    let port = 0;

    beforeAll(async () => {
      lab = openLab();
      tree = join(lab.sandbox.directory, 'tree');
      oddTree(tree);
      ({ port } = await lab.spawnTarget({
        command: programs.amandad,
        args: ['-auth=bsdtcp', ...services],
      }));
    });
    afterAll(() => lab.close());

    const disks = () => [
      { name: 'odd', path: tree },
      { name: 'app', path: tree, program: 'amgtar' as const },
    ];

    it('amservice gets its answer from amandad, which takes no port but a reserved one', async () => {
      const tap = await startTap(port);
      const { stdout, code } = await lab.asBackup(programs.amservice, [
        '-o',
        `client-port=${tap.port}`,
        'localhost',
        'bsdtcp',
        'noop',
      ]);
      expect([stdout, code]).toEqual([
        'OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\n\n',
        0,
      ]);
      const { shown, code: ended } = await tap.end();
      expect(ended).toBe(0);
      expect(shown).toMatch(/ #1 → REQ noop\n/);
      expect(shown).toMatch(/ #1 ← noop REP OPTIONS features=ffffffff9efefbfff/);
      expect(shown).toMatch(/#1 {3}closed: /);
    });

    it('amservice gets its answer from rx-amandad', async () => {
      const target = await lab.spawnTarget({
        command: process.execPath,
        args: [rxAmandad, '-auth=bsdtcp', ...services],
      });
      const tap = await startTap(target.port);
      const { stdout, code } = await lab.asBackup(programs.amservice, [
        '-o',
        `client-port=${tap.port}`,
        'localhost',
        'bsdtcp',
        'noop',
      ]);
      expect([stdout, code]).toEqual([
        'OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\n\n',
        0,
      ]);
      expect((await tap.end()).shown).toContain('noop REP OPTIONS');
    });

    describe('over bsdtcp, for a whole backup', () => {
      let config: Configuration;
      let check: RunResult;
      let dump: RunResult;
      let shown = '';
      let code: number | null = null;
      let recovered: readonly string[] = [];
      const file = (name: string): string => join(lab.sandbox.directory, name);

      beforeAll(async () => {
        const tap = await startTap(port, [
          '--svg',
          file('tap.svg'),
          '--pcap',
          file('tap.pcap'),
          '--json',
          file('tap.jsonl'),
        ]);
        config = lab.configure({
          name: 'tapped',
          auth: 'bsdtcp',
          clientPort: tap.port,
          disks: disks(),
        });
        check = await lab.asBackup(programs.amcheck, ['-c', config.name]);
        dump = await lab.asBackup(programs.amdump, [config.name], { timeout: 100_000 });
        const way = { auth: 'bsdtcp', clientPort: tap.port } as const;
        await recover(
          { lab, way, config },
          { disk: 'odd', directory: file('recovered'), commands: ['add .'] },
        );
        recovered = treeLines(file('recovered'));
        ({ shown, code } = await tap.end());
      }, 180_000);

      it('amcheck and amdump find nothing wrong', () => {
        expect([check.stdout, check.code]).toEqual([
          expect.stringContaining('0 problems found'),
          0,
        ]);
        expect(dump.code, dump.stdout + dump.stderr + lab.sandbox.logs()).toBe(0);
      });

      it('amrecover, through the tap, gives back the tree', () => {
        expect(recovered).toEqual(treeLines(tree));
      });

      it('the live view tells of every service and stream, and nothing failed', () => {
        for (const service of [
          'noop',
          'selfcheck',
          'sendsize',
          'sendbackup',
          'amindexd',
          'amidxtaped',
        ])
          expect(shown).toMatch(new RegExp(` → REQ ${service}(?: .*)?\\n`));
        expect(shown).toMatch(/ ← sendbackup REP DATA MESG INDEX STATE\n/);
        for (const stream of ['DATA', 'MESG', 'INDEX', 'STATE'])
          expect(shown).toMatch(new RegExp(` ← ${stream} \\S+ (K|M)?i?B`));
        expect(withoutEarlyLeave(shown)).not.toMatch(/ NAK |broke the connection/);
        expect(shown).not.toMatch(/[^\n\x20-\x7e→←…\u00a0-\uffff]/);
        expect(code).toBe(0);
      });

      it('the drawing, the capture and the recording have their names and hold the backup', () => {
        const svg = readFileSync(file('tap.svg'), 'utf8');
        for (const name of ['sendsize', 'sendbackup', 'selfcheck', 'DATA', 'MESG', 'INDEX'])
          expect(svg).toContain(name);
        expect(statSync(file('tap.pcap')).size).toBeGreaterThan(50_000);
        expect(statSync(file('tap.pcap')).mode & 0o777).toBe(0o600);
        expect(readFileSync(file('tap.jsonl'), 'utf8')).toContain('sendbackup');
        expect(
          readdirSync(lab.sandbox.directory).filter((name) => name.includes('.partial-')),
        ).toEqual([]);
      });

      it('the capture says the same as the recording, byte for byte, though the programs take the same ports again and again', () => {
        const drawn = spawnSync(
          process.execPath,
          [rxAmanda, 'draw', file('tap.pcap'), '--json', '--port', String(port)],
          {
            maxBuffer: 1 << 28,
            encoding: 'utf8',
          },
        );
        expect([drawn.stderr, drawn.status]).toEqual(['', 0]);
        const recorded = sumsIn(readFileSync(file('tap.jsonl'), 'utf8'));
        expect(recorded.length).toBeGreaterThan(20);
        expect(sumsIn(drawn.stdout)).toEqual(recorded);
      });
    });

    it('in the place of a local amandad it is not noticed by amcheck and amdump, and amfetchdump finds the dump', async () => {
      // Who starts it is user backup, with a PATH without node; one process is one file.
      const logs = lab.sandbox.log;
      const wrapper = join(lab.sandbox.directory, 'tapped-amandad');
      const words = `'${process.execPath}' '${rxAmanda}' tap --local --log /var/log/amanda/tap.log --pcap /var/log/amanda/tap-$$.pcap --json /var/log/amanda/tap-$$.jsonl`;
      writeFileSync(wrapper, `#!/bin/sh\nexec ${words} -- ${programs.amandad} "$@"\n`, {
        mode: 0o755,
      });
      const config = lab.configure({
        name: 'tapped-local',
        auth: 'local',
        amandadPath: wrapper,
        disks: disks(),
      });
      const check = await lab.asBackup(programs.amcheck, ['-c', config.name]);
      expect([check.stdout, check.stderr]).toEqual([
        expect.stringContaining('0 problems found'),
        '',
      ]);
      const dump = await lab.asBackup(programs.amdump, [config.name], { timeout: 100_000 });
      expect(dump.code, dump.stdout + dump.stderr + lab.sandbox.logs()).toBe(0);
      const fetched = await lab.asBackup(
        programs.amfetchdump,
        ['-p', config.name, 'localhost', '^odd$'],
        { timeout: 60_000 },
      );
      expect(fetched.code).toBe(0);
      const log = readFileSync(join(logs, 'tap.log'), 'utf8');
      for (const service of ['selfcheck', 'sendsize', 'sendbackup'])
        expect(log).toMatch(new RegExp(` → REQ ${service}(?: .*)?\\n`));
      expect(log).toMatch(/closed: \S+amandad ended with exit code 0\./);
      expect(
        readdirSync(logs).filter((name) => /^tap-\d+\.(pcap|jsonl)$/.test(name)).length,
      ).toBeGreaterThan(4);
      expect(readdirSync(logs).filter((name) => name.includes('.partial-'))).toEqual([]);
    }, 180_000);
  },
);

/**
 * amcheck may end as soon as it has its answer. Bytes that are still on their way to it cannot be
 * delivered then, and the tap says so.
 */
function withoutEarlyLeave(shown: string): string {
  return shown.replace(
    /( → selfcheck ends\n(?:.* ← selfcheck ends\n)?)(?:.* The initiator broke the connection: (?:write EPIPE|(?:read|write) ECONNRESET)\.\n)+/g,
    '$1',
  );
}
