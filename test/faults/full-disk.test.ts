import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeUnless, missingPrograms, notRoot } from '../support/skips.js';
import { Workshop } from './load/dumping.js';
import { processesOf } from './load/processes.js';

interface Ran {
  readonly code: number | null;
  readonly said: string;
  readonly printed: string;
}

let shop: Workshop;
beforeAll(async () => {
  shop = await Workshop.open(24);
});
afterAll(() => shop.close());

/**
 * Runs a dump of 24 MiB within a shell script, where it is "$@", and waits until nothing of it is
 * left.
 */
async function run(round: string, script: string, output: string): Promise<Ran> {
  const { words, env } = shop.command('local', round, output);
  const child = spawn('/bin/bash', ['-c', script, 'bash', process.execPath, ...words], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, printed] = ['', ''];
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  await expect
    .poll(() => processesOf(round).map(({ command }) => command), { timeout: 20_000 })
    .toEqual([]);
  return { code, said, printed };
}

const oneSentence = /^rx-amanda: .*\n$/;

describe('a dump whose consumer fails is none, and leaves nothing running', () => {
  test('when what reads its output goes', { timeout: 60_000 }, async () => {
    const { code, said } = await run(
      'epipe',
      '"$@" | head -c 100000 >/dev/null; exit ${PIPESTATUS[0]}',
      '-',
    );
    expect([code, said]).toEqual([1, expect.stringMatching(oneSentence)]);
  });

  test('when its output is a full device', { timeout: 60_000 }, async () => {
    const { code, said } = await run('enospc', '"$@" >/dev/full', '-');
    expect([code, said]).toEqual([1, expect.stringMatching(oneSentence)]);
    expect(said).toMatch(/no space is left/);
  });
});

describeUnless(
  notRoot() ?? missingPrograms('/usr/bin/unshare'),
  'a dump for which the disk has no room',
  () => {
    const small = (): string => join(shop.folder, 'small');
    beforeAll(() => {
      mkdirSync(small());
    });

    /**
     * A file system of so many MiB over a folder, for the program alone; then what is left in it.
     */
    const onSmallDisk = (size: string, folder: string): string =>
      `exec unshare --mount --propagation private bash -c 'mount -t tmpfs -o size=${size} small "${folder}" || exit 99; "$@"; code=$?; ls -A "${folder}"; exit $code' bash "$@"`;

    // The header alone, some of the data, nearly all of them, and of what comes last the most.
    test.each(['16k', '4m', '20m', '24600k'])(
      'of %s has no file, not even a part of one',
      { timeout: 60_000 },
      async (size) => {
        const { code, said, printed } = await run(
          `full-${size}`,
          onSmallDisk(size, small()),
          join(small(), 'dump'),
        );
        expect([code, said, printed]).toEqual([1, expect.stringMatching(oneSentence), '']);
        expect(said).toMatch(/no space is left/);
      },
    );

    test('succeeds where there is just enough', { timeout: 60_000 }, async () => {
      const { code, said, printed } = await run(
        'enough',
        onSmallDisk('64m', small()),
        join(small(), 'dump'),
      );
      expect([code, said, printed]).toEqual([
        0,
        '',
        expect.stringMatching(/is backed up[^]*\ndump\n$/),
      ]);
      // The file system went with its program.
      expect(readdirSync(small())).toEqual([]);
    });
  },
);
