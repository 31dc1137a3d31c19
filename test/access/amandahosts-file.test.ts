import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { openSync, readdirSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readAmandahosts } from '../../src/access/amandahosts-file.js';

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  return { ...real, openSync: vi.fn(real.openSync) };
});

const owner = process.getuid?.() ?? 0;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'amandahosts-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(
  name: string,
  mode: number,
  content: string | Uint8Array = 'localhost\n',
): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

async function reasonFor(
  path: string,
  options: { owner?: number; maxBytes?: number } = {},
): Promise<string> {
  const read = readAmandahosts(path, { owner, ...options });
  return read.kind === 'refused' ? read.reason : read.kind;
}

test('a file of its owner alone is read, directly or through a symbolic link', async () => {
  const path = await file('good', 0o600);
  const link = join(folder, 'link');
  await symlink(path, link);
  expect(readAmandahosts(path, { owner })).toEqual({ kind: 'read', text: 'localhost\n' });
  expect(readAmandahosts(link, { owner })).toEqual({ kind: 'read', text: 'localhost\n' });
  expect(await reasonFor(await file('read-only', 0o400))).toBe('read');
});

test('any bit for group or others refuses', async () => {
  const path = await file('open', 0o610);
  expect(await reasonFor(path)).toBe(
    `${path}: incorrect permissions; file must be accessible only by its owner (chmod 600 ${path})`,
  );
  expect(await reasonFor(await file('world', 0o601))).toMatch(/incorrect permissions/);
});

test('the owner is looked at before the mode', async () => {
  const path = await file('strange', 0o666);
  expect(await reasonFor(path, { owner: owner + 1 })).toBe(
    `${path}: owned by id ${owner}, should be ${owner + 1}`,
  );
});

test('a file that cannot be opened refuses with the text of the system', async () => {
  const path = await file('plain', 0o600);
  const loop = join(folder, 'loop');
  await symlink(loop, loop);
  expect(await reasonFor(join(folder, 'none'))).toBe(
    `cannot open ${folder}/none: No such file or directory`,
  );
  expect(await reasonFor(join(path, 'below'))).toBe(`cannot open ${path}/below: Not a directory`);
  expect(await reasonFor(loop)).toBe(`cannot open ${loop}: Too many levels of symbolic links`);
});

test('a file that cannot be read refuses with the text of the system', async () => {
  expect(await reasonFor('/proc/self/mem')).toBe('cannot read /proc/self/mem: Input/output error');
});

test.each([
  ['EACCES', 'Permission denied'],
  ['EMFILE', 'Too many open files'],
  ['ENAMETOOLONG', 'File name too long'],
  ['ENFILE', 'Too many open files in system'],
  ['EPERM', 'Operation not permitted'],
  ['EOTHER', 'what Node says'],
])('%s refuses with the words of the C library, or else of Node', async (code, words) => {
  vi.mocked(openSync).mockImplementationOnce(() => {
    throw Object.assign(new Error('what Node says'), { code });
  });
  expect(await reasonFor('/home/.amandahosts')).toBe(`cannot open /home/.amandahosts: ${words}`);
});

test('no file stays open, whether it was read or refused', async () => {
  const good = await file('closed-good', 0o600);
  const bad = await file('closed-bad', 0o644);
  expect([await reasonFor(good), await reasonFor(bad)]).toEqual([
    'read',
    expect.stringContaining('incorrect permissions'),
  ]);
  const open = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  expect(open.filter((path) => path === good || path === bad)).toEqual([]);
});

test('a FIFO is refused, a directory has no lines, and neither makes anybody wait', async () => {
  const directory = join(folder, 'directory');
  await mkdir(directory, { mode: 0o700 });
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', ['-m', '600', fifo]);
  expect(readAmandahosts(directory, { owner })).toEqual({ kind: 'read', text: '' });
  expect(await reasonFor(fifo)).toBe(`${fifo}: it is no regular file`);
});

test('a file over the limit refuses, one at the limit does not', async () => {
  const path = await file('large', 0o600, 'x'.repeat(100_000));
  expect(await reasonFor(path, { maxBytes: 99_999 })).toBe(`${path}: larger than 99999 bytes`);
  expect(await reasonFor(path, { maxBytes: 100_000 })).toBe('read');
});

test('bytes that are not UTF-8 read as U+FFFD', async () => {
  const path = await file('latin', 0o600, new Uint8Array([0x6d, 0xfc, 0x0a]));
  expect(readAmandahosts(path, { owner })).toEqual({ kind: 'read', text: 'm\ufffd\n' });
});
