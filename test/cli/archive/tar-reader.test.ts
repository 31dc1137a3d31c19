import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ArchiveGuard, SelectionTooNarrow } from '../../../src/cli/archive/archive-guard.js';
import { TAR_END, TarReader, type TarMember } from '../../../src/cli/archive/tar-reader.js';
import { oddTree } from '../../support/odd-tree.js';
import { paxRecords, writtenTar } from '../../support/tar-blocks.js';

/** What a reader passes on of an archive that arrives in pieces. */
function passed(archive: Uint8Array, reader: TarReader, size = 1_000): Buffer {
  const out: Uint8Array[] = [];
  for (let at = 0; at < archive.length; at += size)
    out.push(...reader.push(archive.subarray(at, at + size)).map((piece) => Buffer.from(piece)));
  reader.finish();
  return Buffer.concat([...out, TAR_END]);
}

const listed = (archive: Uint8Array): string[] => {
  const { stdout, status, stderr } = spawnSync('tar', ['-tf', '-'], { input: archive });
  if (status !== 0) throw new Error(stderr.toString());
  return stdout.toString().split('\n').slice(0, -1);
};

const guarded = (archive: Uint8Array, ...selected: string[]): Buffer =>
  passed(archive, new TarReader(new ArchiveGuard(selected).choose));

describe('an archive of GNU tar', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rx-amanda-tar-'));
  const tree = join(folder, 'tree');
  const archives: Record<string, Buffer> = {};
  const pack = (format: string, snapshot: string): Buffer =>
    execFileSync(
      'tar',
      ['-C', tree, `--format=${format}`, '--sparse', '-g', join(folder, snapshot), '-cf', '-', '.'],
      { maxBuffer: 1e8 },
    );

  beforeAll(() => {
    oddTree(tree);
    const long = Array.from({ length: 16 }, (_, at) => `${at}`.padEnd(240, 'x')).join('/');
    mkdirSync(join(tree, long), { recursive: true });
    writeFileSync(join(tree, long, 'deep'), 'x');
    spawnSync('truncate', ['-s', '9M', join(tree, 'holes')]);
    for (let at = 0; at < 60; at++)
      spawnSync('dd', [
        'if=/dev/zero',
        `of=${join(tree, 'holes')}`,
        'bs=1',
        'count=1',
        `seek=${at * 131_072}`,
        'conv=notrunc',
      ]);
    for (const format of ['gnu', 'posix']) archives[format] = pack(format, format);
    mkdirSync(join(tree, 'etc'));
    writeFileSync(join(tree, 'etc/hosts'), 'x');
    renameSync(join(tree, 'empty folder'), join(tree, 'renamed folder'));
    for (const format of ['gnu', 'posix']) archives[`incremental ${format}`] = pack(format, format);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const names = ['gnu', 'posix', 'incremental gnu', 'incremental posix'] as const;

  it.each(names)('%s passes whole, however it is cut', (name) => {
    const archive = archives[name] ?? expect.unreachable();
    for (const size of [511, 512, 10_240, 32_768, 1e8]) {
      const out = passed(archive, new TarReader(), size);
      expect(out.equals(archive.subarray(0, out.length))).toBe(true);
      expect(listed(out)).toEqual(listed(archive));
    }
  });

  it.each(names)('%s has the names that tar lists', (name) => {
    const archive = archives[name] ?? expect.unreachable();
    const members: TarMember[] = [];
    const reader = new TarReader((member) => {
      members.push(member);
      return 'keep';
    });
    passed(archive, reader);
    const { stdout } = spawnSync('tar', ['--quoting-style=literal', '-tf', '-'], {
      input: archive,
    });
    expect(members.map(({ name: found }) => `${found}\n`).join('')).toBe(stdout.toString('latin1'));
    expect(reader.members).toBe(members.length);
  });

  it.each(['incremental gnu', 'incremental posix'])(
    '%s passes in part, without renames',
    (name) => {
      const out = guarded(archives[name] ?? expect.unreachable(), '/etc');
      expect(listed(out)).toEqual(['./', './etc/', './etc/hosts']);
      expect(out.includes('T./renamed folder')).toBe(false);
      // tar reads the shortened list of names.
      expect(spawnSync('tar', ['-tvGf', '-'], { input: out }).status).toBe(0);
    },
  );

  it('a rename of what was asked for needs all of it', () => {
    const archive = archives['incremental gnu'] ?? expect.unreachable();
    expect(() => guarded(archive, '/renamed folder')).toThrow(SelectionTooNarrow);
    expect(() => guarded(archive, '/empty folder/x')).toThrow(SelectionTooNarrow);
    expect(guarded(archive, '/').includes('T./renamed folder')).toBe(true);
  });

  it('an end before its mark is noticed', () => {
    const archive = archives.gnu ?? expect.unreachable();
    for (const end of [0, 1, 512, 700, 20_000])
      expect(() => passed(archive.subarray(0, end), new TarReader())).toThrow(
        expect.objectContaining({ code: 'INCOMPLETE_DUMP' }) as Error,
      );
  });

  it('a flipped bit in a header is noticed, with its place', () => {
    const archive = Buffer.from(archives.gnu ?? expect.unreachable());
    archive[130] = (archive[130] ?? 0) ^ 1;
    expect(() => passed(archive, new TarReader())).toThrow(/block at byte 0 is damaged/);
  });
});

describe('a hard link', () => {
  it('needs the file that it is a link to', () => {
    const archive = writtenTar({ name: './a' }, { name: './b', type: '1', link: './a' });
    expect(() => guarded(archive, '/b')).toThrow(
      expect.objectContaining({ needed: '/a' }) as Error,
    );
    expect(listed(guarded(archive, '/b', '/a'))).toEqual(['./a', './b']);
  });
});

describe('a hostile archive is refused', () => {
  const link = { name: './link', type: '2', link: '/etc' };
  const long = (name: string) => ({ name: '././@LongLink', type: 'L', data: `${name}\0` });
  const pax = (records: Readonly<Record<string, string>>) => ({
    name: 'x',
    type: 'x',
    data: paxRecords(records),
  });
  it.each<[string, Buffer]>([
    ['..', writtenTar({ name: './../passwd' })],
    ['.. at the end', writtenTar({ name: './a/..', type: '5' })],
    ['.. in a long name', writtenTar(long('a/../../b'), { name: 'a' })],
    ['.. in a record', writtenTar(pax({ path: '../b' }), { name: 'a' })],
    [
      '.. in the name of a sparse file',
      writtenTar(pax({ 'GNU.sparse.name': '../b' }), { name: 'a' }),
    ],
    ['.. in a hard link', writtenTar({ name: 'a', type: '1', link: '../../etc/passwd' })],
    ['a file below a link', writtenTar(link, { name: './link/passwd' })],
    ['a file deep below a link', writtenTar(link, { name: './link/a/b/c' })],
    [
      'a hard link to what is below a link',
      writtenTar(link, { name: 'a', type: '1', link: 'link/passwd' }),
    ],
    [
      'a file below a hard link to a link',
      writtenTar(link, { name: './b', type: '1', link: './link' }, { name: './b/x' }),
    ],
    [
      'a rename that leads out',
      writtenTar({ name: './', type: 'D', data: 'Ya\0R../../etc\0T./x\0\0' }),
    ],
    [
      'a rename to what leads out',
      writtenTar({ name: './', type: 'D', data: 'R./x\0T../../y\0\0' }),
    ],
    [
      'a rename below a link',
      writtenTar(link, { name: './', type: 'D', data: 'R./link/x\0T./y\0\0' }),
    ],
    ['a swap that leads out', writtenTar({ name: './', type: 'D', data: 'X../../tmp\0\0' })],
    ['half a rename', writtenTar({ name: './', type: 'D', data: 'R./a\0\0' })],
    [
      'a name in a directory that is a path',
      writtenTar({ name: './', type: 'D', data: 'Y../a\0\0' }),
    ],
    ['names of a directory without an end', writtenTar({ name: './', type: 'D', data: 'Ya' })],
    [
      'names of a directory in a record',
      writtenTar(pax({ 'GNU.dumpdir': 'Y/a\0\0' }), { name: 'a', type: '5' }),
    ],
    ['a file with names', writtenTar(pax({ 'GNU.dumpdir': 'Ya\0\0' }), { name: 'a' })],
    [
      'records for all that follows',
      writtenTar({ name: 'g', type: 'g', data: paxRecords({ path: 'x' }) }, { name: 'a' }),
    ],
    ['records twice', writtenTar(pax({ path: 'x' }), pax({ path: 'y' }), { name: 'a' })],
    ['a long name and a record', writtenTar(long('x'), pax({ path: 'y' }), { name: 'a' })],
    [
      'records that are none',
      writtenTar({ name: 'x', type: 'x', data: '99 a=b\n' }, { name: 'a' }),
    ],
    ['a volume that goes on', writtenTar({ name: 'a', type: 'M' })],
    ['a link with data', writtenTar({ name: 'a', type: '2', link: 'b', data: 'x' })],
    ['a huge record', writtenTar({ name: 'x', type: 'x', size: 8 ** 11 - 1 }, { name: 'a' })],
    ['a long name without a member', writtenTar(long('x'))],
  ])('%s', (_, archive) => {
    expect(() => guarded(archive, '/')).toThrow(
      expect.objectContaining({ code: 'BAD_ARCHIVE' }) as Error,
    );
  });

  it('a link of an earlier dump counts, and one that was replaced does not', () => {
    const first = writtenTar(link);
    const { choose } = new ArchiveGuard(['/']);
    passed(first, new TarReader(choose));
    const second = writtenTar({ name: './link/passwd' });
    expect(() => passed(second, new TarReader(choose))).toThrow(
      /below \/link, which is a symbolic/,
    );
    const third = writtenTar({ name: './link', type: '5' }, { name: './link/passwd' });
    expect(listed(passed(third, new TarReader(choose)))).toEqual(['./link', './link/passwd']);
  });

  it('a link moves with the directory that is renamed', () => {
    const { choose } = new ArchiveGuard(['/']);
    passed(writtenTar({ name: './a/link', type: '2', link: '/etc' }), new TarReader(choose));
    const second = writtenTar(
      { name: './', type: 'D', data: 'Db\0R./a\0T./b\0\0' },
      { name: './b/link/passwd' },
    );
    expect(() => passed(second, new TarReader(choose))).toThrow(/below \/b\/link/);
  });

  it('an absolute name stays inside', () => {
    expect(guarded(writtenTar({ name: '/etc/passwd' }), '/etc').length).toBeGreaterThan(1024);
  });
});
