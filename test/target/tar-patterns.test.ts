import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isExcluded, isIncluded } from '../../src/target/services/tar-patterns.js';
import { oneOf, randomFrom, type Random } from '../fuzz/random.js';

const names = [
  'a',
  'b.o',
  'ab',
  'a*b',
  'a[b',
  'x.tar.gz',
  '.hidden',
  'größe',
  'dir/a',
  'dir/b.o',
  'dir/sub/a',
  'dir/sub/c.o',
  'dir.o/a',
  'dir.o/b',
  'dir2/.git/config',
  'dir2/z',
  'A',
  'abab/abc',
  '-x',
  'a b',
];
const pieces: readonly [string, ...string[]] = [
  'a',
  'b',
  'c',
  '*',
  '**',
  '?',
  '/',
  '.',
  './',
  'dir',
  'sub',
  '.o',
  '[ab]',
  '[!a]',
  '[^a-c]',
  '[[:alpha:]]',
  '[',
  ']',
  '\\*',
  '\\',
  '*.o',
  'z',
  'ö',
  '-',
];

function patternFrom(random: Random): string {
  const count = 1 + Math.floor(random() * 4);
  return Array.from({ length: count }, () => oneOf(random, pieces)).join('');
}

describe('the patterns of exclude', () => {
  let root = '';
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'rx-amanda-patterns-'));
    for (const name of names) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), '');
    }
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('leave out what GNU tar leaves out, in 6,000 cases', () => {
    const random = randomFrom(20261201);
    const differences: string[] = [];
    let cases = 0;
    let left = 0;
    while (cases < 6_000) {
      const pattern = patternFrom(random);
      const { stdout, status } = spawnSync(
        'tar',
        ['-cf', '/dev/null', '-v', `--exclude=${pattern}`, '-C', root, '.'],
        {
          encoding: 'utf8',
          env: {
            ...process.env,
            LC_ALL: 'C.UTF-8',
            TAR_OPTIONS: '--quoting-style=literal',
          },
        },
      );
      expect(status).toBe(0);
      const taken = new Set(stdout.split('\n'));
      for (const name of names) {
        cases += 1;
        const isLeftOut = !taken.has(`./${name}`);
        if (isLeftOut) left += 1;
        if (isExcluded([pattern], `./${name}`) !== isLeftOut)
          differences.push(`${pattern} × ${name}: tar ${isLeftOut ? 'leaves it out' : 'takes it'}`);
      }
    }
    expect(left).toBeGreaterThan(200);
    expect(differences).toEqual([]);
  });

  it('take no time that grows with the power of their length', () => {
    const start = performance.now();
    expect(isExcluded(['*a'.repeat(50) + 'b'], `./${'a'.repeat(2_000)}`)).toBe(false);
    expect(performance.now() - start).toBeLessThan(200);
  });
});

describe('the patterns of include', () => {
  it.each([
    ['./a*', './abc', true],
    ['./a*', './abc/d', true],
    ['./a*', './b/abc', false],
    ['./dir/a', './dir/a', true],
    ['./dir/a', './dir/a/b', true],
    ['./dir/*', './dir/a', false],
  ])('%s × %s: %s', (pattern, name, expected) => {
    expect(isIncluded([pattern], name)).toBe(expected);
  });
});
