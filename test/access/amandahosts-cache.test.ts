import { chmodSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { cachedAmandahosts } from '../../src/access/amandahosts-cache.js';
import { Amandahosts } from '../../src/access/amandahosts.js';

vi.mock('node:fs', { spy: true });

const folder = mkdtempSync(join(tmpdir(), 'rx-amanda-hosts-'));
const path = join(folder, '.amandahosts');
const owner = process.geteuid?.() ?? 0;
afterAll(() => rmSync(folder, { recursive: true }));

/** As old as a file is that can be told from its next version. */
const old = (): void => {
  vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 1_000);
};
beforeEach(() => {
  vi.restoreAllMocks();
  writeFileSync(path, 'one\n', { mode: 0o600 });
});

const isAllowed = (host: string): boolean => {
  const rules = cachedAmandahosts(path, owner);
  if (!(rules instanceof Amandahosts)) return false;
  const asked = { host, address: '10.0.0.1', user: 'me', service: 'noop', localUser: 'me' };
  return rules.decide({ ...asked, file: path }).kind === 'allowed';
};
const reads = (): number => vi.mocked(fs.openSync).mock.calls.length;

test('a file is read once for many questions', () => {
  old();
  expect(isAllowed('one')).toBe(true);
  const before = reads();
  for (let asked = 0; asked < 100; asked += 1) expect(isAllowed('two')).toBe(false);
  expect(reads()).toBe(before);
});

test('a new file may still change within a tick of the clock, and is read again', () => {
  expect(isAllowed('one')).toBe(true);
  writeFileSync(path, 'two\n');
  expect(isAllowed('one')).toBe(false);
  expect(isAllowed('two')).toBe(true);
});

test.each<[string, () => void]>([
  ['is written', () => writeFileSync(path, 'two\n')],
  [
    'is replaced by one of the same size and times',
    () => {
      const { atime, mtime } = fs.statSync(path);
      writeFileSync(`${path}.new`, 'two\n', { mode: 0o600 });
      utimesSync(`${path}.new`, atime, mtime);
      renameSync(`${path}.new`, path);
    },
  ],
])('its lines count at once when it %s', (_, change) => {
  old();
  expect(isAllowed('one')).toBe(true);
  change();
  old();
  expect(isAllowed('one')).toBe(false);
  expect(isAllowed('two')).toBe(true);
});

test('it is refused at once when others may read it, and when it is gone', () => {
  old();
  expect(isAllowed('one')).toBe(true);
  chmodSync(path, 0o644);
  expect(cachedAmandahosts(path, owner)).toMatchObject({ kind: 'refused' });
  rmSync(path);
  expect(cachedAmandahosts(path, owner)).toMatchObject({ kind: 'refused' });
});

test('a file of another owner is not taken from the cache', () => {
  old();
  expect(isAllowed('one')).toBe(true);
  expect(cachedAmandahosts(path, owner + 1)).toMatchObject({ kind: 'refused' });
});
