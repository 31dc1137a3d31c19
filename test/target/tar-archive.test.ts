import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import {
  tarArchive,
  type ArchiveFile,
  type ArchiveMember,
} from '../../src/target/services/tar-archive.js';

const modified = new Date(1_700_000_000_000);

/** The archive, and what is listed of it. */
async function made(
  files: Iterable<ArchiveMember>,
  selects: (path: string) => boolean = () => true,
): Promise<{ readonly bytes: Buffer; readonly listed: readonly string[] }> {
  const listed: string[] = [];
  const chunks: Uint8Array[] = [];
  const { data } = tarArchive({ files });
  for await (const chunk of data((path) => listed.push(path), selects) as AsyncIterable<Uint8Array>)
    chunks.push(chunk);
  return { bytes: Buffer.concat(chunks), listed };
}

function tar(option: string, archive: Buffer, ...names: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync('/bin/tar', [option, '-', ...names], {
    input: archive,
    encoding: 'utf8',
    env: { LC_ALL: 'C.UTF-8', TZ: 'UTC' },
  });
  expect([stderr, status]).toEqual(['', 0]);
  return stdout;
}

it('has the POSIX format: a header, the content in blocks of 512 bytes, two blocks of zeros', async () => {
  const { bytes, listed } = await made([
    { name: 'a.txt', content: 'hello\n', modified, mode: 0o640 },
  ]);
  const header = [
    ['2e2f612e747874', 100], // ./a.txt
    ['3030303036343000', 8], // 0000640: mode
    ['3030303030303000', 8], // owner
    ['3030303030303000', 8], // group
    ['303030303030303030303600', 12], // 6: size
    ['313435323437373034303000', 12], // 14524770400: 1,700,000,000 s
    ['3030373131350020', 8], // 007115: the sum of the header's bytes, this field taken as blanks
    ['30', 101], // a file
    ['757374617200', 6], // ustar
    ['3030', 249], // 00
  ] as const;
  const expected = Buffer.concat([
    ...header.map(([hex, size]) => Buffer.concat([Buffer.from(hex, 'hex')], size)),
    Buffer.concat([Buffer.from('68656c6c6f0a', 'hex')], 512),
    Buffer.alloc(1024),
  ]);
  expect(bytes.toString('hex')).toBe(expected.toString('hex'));
  expect(listed).toEqual(['/', '/a.txt']);
});

it('is read by tar: texts, bytes, streams, names in folders and in other alphabets', async () => {
  const { bytes, listed } = await made([
    { name: '2026/größe.txt', content: 'ä', modified },
    { name: 'whole', content: Uint8Array.of(0x61, 0x62), modified, mode: 0o755 },
    {
      name: 'pieces',
      content: [Buffer.from('x'.repeat(512)), Buffer.from('y')],
      size: 513,
      modified,
    },
    { name: 'empty', content: '', modified },
  ]);
  expect(tar('-tvf', bytes).split('\n')).toEqual([
    '-rw------- 0/0               2 2023-11-14 22:13 ./2026/größe.txt',
    '-rwxr-xr-x 0/0               2 2023-11-14 22:13 ./whole',
    '-rw------- 0/0             513 2023-11-14 22:13 ./pieces',
    '-rw------- 0/0               0 2023-11-14 22:13 ./empty',
    '',
  ]);
  expect(tar('-xOf', bytes, './2026/größe.txt', './whole', './pieces')).toBe(
    `äab${'x'.repeat(512)}y`,
  );
  expect(listed).toEqual(['/', '/2026/größe.txt', '/whole', '/pieces', '/empty']);
});

it.each([97, 98, 99, 255, 3000])('takes a name of %d letters', async (length) => {
  const name =
    Array.from({ length: Math.ceil(length / 100) }, () => 'n'.repeat(99))
      .join('/')
      .slice(0, length - 1) + 'e';
  const { bytes } = await made([
    { name, content: 'content' },
    { name: 'next', content: '' },
  ]);
  expect(tar('-tf', bytes)).toBe(`./${name}\n./next\n`);
  expect(tar('-xOf', bytes, `./${name}`)).toBe('content');
});

it('requests a file when the previous one has been sent', async () => {
  const asked: string[] = [];
  function* files(): Generator<ArchiveFile> {
    for (const name of ['one', 'two', 'three']) {
      asked.push(name);
      yield { name, content: name };
    }
  }
  const { data } = tarArchive({ files: files() });
  const chunks = (
    data(
      () => undefined,
      () => true,
    ) as AsyncIterable<Uint8Array>
  )[Symbol.asyncIterator]();
  expect(asked).toEqual([]);
  for (let chunk = 0; chunk < 4; chunk++) await chunks.next();
  expect(asked).toEqual(['one', 'two']);
});

it('says in its header how large a file of more than 8 GiB is', async () => {
  const { data } = tarArchive({
    files: [{ name: 'huge', content: [], size: 10_000_000_000 }],
  });
  const chunks = (
    data(
      () => undefined,
      () => true,
    ) as AsyncIterable<Uint8Array>
  )[Symbol.asyncIterator]();
  await chunks.next();
  expect(Buffer.from((await chunks.next()).value as Uint8Array).toString()).toBe(
    '20 size=10000000000\n',
  );
});

it.each([
  ['fewer', 'abc', 'short has 3 instead of the 4 bytes announced for it'],
  ['more', 'abcde', 'short has more of the 4 bytes announced for it'],
])('is not made when a file has %s bytes than announced', async (_, content, why) => {
  await expect(
    made([{ name: 'short', content: [Buffer.from(content)], size: 4 }]),
  ).rejects.toMatchObject({
    code: 'BAD_ARGUMENT',
    message: `The archive cannot be made: ${why}.`,
  });
});

it.each(['', '/etc/passwd', '../up', 'a/../../up', 'a//b', './a', 'a/', 'a\0b'])(
  'is not made with a file of the name %j',
  async (name) => {
    await expect(made([{ name, content: '' }])).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
  },
);

it('gives content of unknown size in parts that fit together again', async () => {
  const content = [Buffer.from('abcdefg'), Buffer.from('hij'), Buffer.from('k')];
  const { bytes, listed } = await made([
    { name: 'rows.csv', content, partSize: 4, modified },
    { name: 'none', content: [], partSize: 4, modified },
  ]);
  expect(listed).toEqual([
    '/',
    '/rows.csv.000001',
    '/rows.csv.000002',
    '/rows.csv.000003',
    '/none.000001',
  ]);
  expect(tar('-tf', bytes)).toBe(
    './rows.csv.000001\n./rows.csv.000002\n./rows.csv.000003\n./none.000001\n',
  );
  expect(tar('-xOf', bytes)).toBe('abcdefghijk');
});

it('leaves out what is not selected', async () => {
  const files = ['one', 'two'].map((name) => ({ name, content: name, modified }));
  const { bytes, listed } = await made(files, (path) => path !== '/one');
  expect(listed).toEqual(['/', '/two']);
  expect(tar('-xOf', bytes)).toBe('two');
});

it('names the files of a folder, so that a restore removes the others', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rx-amanda-archive-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const restore = (input: Buffer) => {
    const { status, stderr } = spawnSync('/bin/tar', ['-xpGf', '-'], {
      cwd: folder,
      input,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  };
  const full = ['a', 'b', 'sub/c', 'sub/d'].map((name) => ({ name, content: name, modified }));
  restore((await made(full)).bytes);
  const changed: ArchiveMember[] = [
    { folder: '', names: ['b', 'sub'] },
    { folder: 'sub', names: ['d', 'e'] },
    { name: 'sub/e', content: 'new', modified },
  ];
  const { bytes, listed } = await made(changed);
  expect(listed).toEqual(['/', '/sub/', '/sub/e']);
  restore(bytes);
  expect(readdirSync(folder).sort()).toEqual(['b', 'sub']);
  expect(readdirSync(join(folder, 'sub')).sort()).toEqual(['d', 'e']);
});
