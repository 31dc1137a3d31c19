import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { baseOf, fileJournal, withFinished } from '../../src/target/services/dump-journal.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rx-amanda-journal-'));
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true, force: true });
});

const at = (day: number): Date => new Date(Date.UTC(2026, 11, day));
const full = { level: 0, at: at(1), state: { lsn: '0/16B3748' } };

it('keeps what was written, by entry, in a file of its user alone', async () => {
  const path = join(folder, 'below', 'dumps.json');
  const journal = fileJournal(path);
  expect(await journal.read('shop')).toEqual([]);
  await Promise.all([
    journal.write('shop', [full]),
    journal.write('stock', [{ level: 0, at: at(2), state: undefined }]),
  ]);
  expect(await fileJournal(path).read('shop')).toEqual([full]);
  expect(await fileJournal(path).read('stock')).toEqual([
    { level: 0, at: at(2), state: undefined },
  ]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(folder, 'below'))).toEqual(['dumps.json']);
});

it.each(['', '{', '[1]', '{"shop":1}', '{"shop":[{"level":"0","at":"x"}]}', '{"shop":[null]}'])(
  'refuses a file that is no journal: %s',
  async (text) => {
    const path = join(folder, 'dumps.json');
    writeFileSync(path, text);
    const journal = fileJournal(path);
    const wrong = { code: 'FILE_FAILED', message: expect.stringContaining(path) as unknown };
    await expect(journal.read('shop')).rejects.toMatchObject(wrong);
    await expect(journal.write('shop', [full])).rejects.toMatchObject(wrong);
    expect(readFileSync(path, 'utf8')).toBe(text);
  },
);

it('goes on after a write that failed', async () => {
  const path = join(folder, 'dumps.json');
  const journal = fileJournal(path);
  writeFileSync(path, 'damaged');
  await expect(journal.write('shop', [full])).rejects.toMatchObject({ code: 'FILE_FAILED' });
  rmSync(path);
  await journal.write('shop', [full]);
  expect(await journal.read('shop')).toEqual([full]);
});

it('forgets the dumps that lose their base', () => {
  const dumps = [full, { level: 1, at: at(2) }, { level: 2, at: at(3) }];
  expect(withFinished(dumps, { level: 1, at: at(4) })).toEqual([full, { level: 1, at: at(4) }]);
  expect(withFinished(dumps, { level: 0, at: at(4) })).toEqual([{ level: 0, at: at(4) }]);
});

it('bases a level on the newest dump of a lower one', () => {
  const dumps = [full, { level: 1, at: at(2) }];
  expect(baseOf(dumps, 0)).toBeUndefined();
  expect(baseOf(dumps, 1)).toBe(full);
  expect(baseOf(dumps, 2)).toBe(dumps[1]);
  expect(baseOf([], 1)).toBeUndefined();
});
