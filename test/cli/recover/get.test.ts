import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../../src/cli/rx-amanda/main.js';
import type { Service } from '../../../src/exchange/service.js';
import { crc32c } from '../../../src/wire/crc32c.js';
import { encodeDumpHeader, type DumpHeader } from '../../../src/wire/dumpfile.js';
import {
  fakeIndexServer,
  fakeTapeServer,
  type TapeServer,
} from '../../initiator/recover/fake-server.js';
import { writtenTar } from '../../support/tar-blocks.js';
import { fakeEnvironment } from '../fake-environment.js';

/** A server whose volumes have one image after another. */
function tapes(
  images: readonly Uint8Array[],
  changes: Partial<DumpHeader> = {},
  server: TapeServer = {},
): Service {
  let next = 0;
  return (...asked) => {
    const data = images[next++ % images.length] ?? new Uint8Array(0);
    const checksum = { crc: crc32c(data), bytes: data.length };
    const header = encodeDumpHeader({
      type: 'FILE',
      datestamp: '20261101010000',
      host: 'db1',
      disk: '/home',
      level: 0,
      program: '/bin/tar',
      clientChecksum: checksum,
      ...changes,
    });
    const text = header.subarray(0, header.indexOf(0));
    return fakeTapeServer({ header: text, data, ...server })(...asked);
  };
}

let folder = '';
let into = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rx-amanda-get-'));
  into = join(folder, 'into');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const FULL = writtenTar(
  { name: './', type: '5' },
  { name: './one.txt', data: 'one' },
  { name: './d/', type: '5' },
  { name: './d/two.txt', data: 'two' },
);

interface Ran {
  readonly images?: readonly Uint8Array[];
  readonly header?: Partial<DumpHeader>;
  readonly server?: TapeServer;
}

async function run(words: readonly string[], { images = [FULL], header, server }: Ran = {}) {
  const fake = fakeEnvironment({
    services: { amindexd: fakeIndexServer(), amidxtaped: tapes(images, header, server) },
  });
  const all = ['recover', 'server', '--config', 'daily', '--disk', '/home', ...words];
  const code = await main(all, fake.environment);
  // The private folder is removed after the answer.
  await vi.waitFor(() => {
    const names = [folder, into].flatMap((place) => (existsSync(place) ? readdirSync(place) : []));
    expect(names.filter((name) => name.startsWith('.rx'))).toEqual([]);
  });
  return { code, out: fake.out(), err: fake.err() };
}
const get = (ran?: Ran, ...words: string[]) =>
  run([...words, '--date', '2026-11-01', 'get', '/', '-C', into], ran);
const read = (name: string) => readFileSync(join(into, name), 'utf8');

describe('rx-amanda recover get', () => {
  it('restores into a folder that it makes', async () => {
    const { code, out, err } = await get();
    expect([code, err]).toEqual([0, '']);
    expect([read('one.txt'), read('d/two.txt')]).toEqual(['one', 'two']);
    expect(out.split('\n')[0]).toBe(
      `/ of db1:/home is recovered into ${into}, as of 2026-11-01 01:00:00.`,
    );
    expect(out).toMatch(/from one dump, 4 entries/);
  });

  it('restores one path alone', async () => {
    const { code } = await run(['--date', '2026-11-01', 'get', '/one.txt', '-C', into]);
    expect([code, readdirSync(into)]).toEqual([0, ['one.txt']]);
  });

  it('leaves what is there, and says so', async () => {
    mkdirSync(into);
    writeFileSync(join(into, 'one.txt'), 'mine');
    const { code, out } = await get();
    expect([code, read('one.txt'), read('d/two.txt')]).toEqual([1, 'mine', 'two']);
    expect(out).toContain('stays   /one.txt, which differs');
  });

  it('replaces it with --overwrite, but no folder by a file', async () => {
    mkdirSync(join(into, 'one.txt/x'), { recursive: true });
    mkdirSync(join(into, 'd'));
    writeFileSync(join(into, 'd/two.txt'), 'mine');
    const { code, out } = await get({}, '--overwrite', '--json');
    expect([code, read('d/two.txt')]).toEqual([1, 'two']);
    expect(existsSync(join(into, 'one.txt/x'))).toBe(true);
    expect(JSON.parse(out)).toMatchObject({ kept: ['/one.txt'], keptCount: 1, same: 0 });
  });

  it('can be repeated: what is there already is the same', async () => {
    await get();
    const { code, out } = await get();
    expect(code).toBe(0);
    expect(out).toContain('same    2 that were there already');
  });

  it('does not follow a link that is in the way', async () => {
    mkdirSync(into);
    mkdirSync(join(folder, 'outside'));
    symlinkSync('../outside', join(into, 'd'));
    for (const words of [[], ['--overwrite']]) await get({}, ...words);
    expect(readdirSync(join(folder, 'outside'))).toEqual([]);
    expect(read('d/two.txt')).toBe('two');
  });

  it.each<[string, Ran, RegExp]>([
    [
      'a file below a link',
      { images: [writtenTar({ name: 'l', type: '2', link: '..' }, { name: 'l/x', data: 'x' })] },
      /\/l\/x is below \/l, which is a symbolic link/,
    ],
    ['a name that leads out', { images: [writtenTar({ name: '../x' })] }, /leads out/],
    ['half an archive', { images: [FULL.subarray(0, 2_000)] }, /ends after 2000 bytes/],
    ['other bytes', { server: { data: writtenTar({ name: 'x' }) } }, /of its \d+ bytes/],
    [
      'a wrong native checksum',
      { header: { nativeChecksum: { crc: 1, bytes: FULL.length } } },
      /checksum .*; its header says 00000001/,
    ],
    ['bytes that are no gzip', { header: { compression: '.gz' } }, /gzip cannot decode the dump/],
    [
      'a program of the header',
      {
        header: {
          compression: 'cust',
          coding: [['client_custom_compress', '/bin/evil']],
        },
      },
      /compressed by \/bin\/evil.*--allow-program \/bin\/evil/,
    ],
    ['another application', { header: { program: 'APPLICATION', application: 'amx' } }, /by amx/],
    ['a volume that is missing', { server: { lines: { END: ['FEEDME lab-1'] } } }, /lab-1/],
  ])('fails for %s, and leaves nothing', async (_, ran, message) => {
    const { code, err } = await get(ran);
    expect([code, readdirSync(folder)]).toEqual([1, []]);
    expect(err).toMatch(message);
  });

  it('does not let a later dump write through a link of an earlier one', async () => {
    const images = [
      writtenTar({ name: './out', type: '2', link: folder }),
      writtenTar({ name: './out/x', data: 'x' }),
    ];
    const fake = await run(['get', '/', '-C', into], { images });
    expect([fake.code, readdirSync(folder)]).toEqual([1, []]);
    expect(fake.err).toMatch(/below \/out, which is a symbolic link/);
  });

  it('widens the selection for a hard link', async () => {
    const images = [
      writtenTar(
        { name: './d/', type: '5' },
        { name: './d/a', data: 'a' },
        { name: './one.txt', type: '1', link: './d/a' },
      ),
    ];
    const { code } = await run(['--date', '2026-11-01', 'get', '/one.txt', '-C', into], { images });
    expect([code, readdirSync(into), read('one.txt')]).toEqual([0, ['one.txt'], 'a']);
  });

  it('ends with nothing written when it is interrupted', async () => {
    // tar begins when it has a whole record.
    const image = writtenTar({ name: 'one.txt' }, { name: 'x', data: 'x'.repeat(40_000) });
    const server = tapes([image], {}, { staysOpen: true });
    const fake = fakeEnvironment({ services: { amindexd: fakeIndexServer(), amidxtaped: server } });
    const words = ['--date', '2026-11-01', '--disk', '/home', 'get', '/', '-C', into];
    const done = main(['recover', 'server', '--config', 'daily', ...words], fake.environment);
    const tree = () => readdirSync(join(folder, readdirSync(folder)[0] ?? '', 'tree'));
    await vi.waitFor(() => {
      expect(tree()).toContain('one.txt');
    });
    fake.interrupt.next(130);
    expect(await done).toBe(130);
    await vi.waitFor(() => {
      expect(readdirSync(folder)).toEqual([]);
    });
  });

  it('names what a killed run has left', async () => {
    mkdirSync(join(into, '.rx-amanda-recover-x'), { recursive: true });
    const fake = fakeEnvironment({
      services: { amindexd: fakeIndexServer(), amidxtaped: tapes([FULL]) },
    });
    const words = ['--date', '2026-11-01', '--disk', '/home', 'get', '/', '-C', into];
    expect(await main(['recover', 's', '--config', 'daily', ...words], fake.environment)).toBe(0);
    expect(fake.err()).toMatch(/an interrupted run has left .*\.rx-amanda-recover-x; it may be/);
  });

  it('writes one archive of all dumps to standard output', async () => {
    const second = writtenTar({ name: './d/', type: '5' }, { name: './three.txt', data: '3' });
    const fake = fakeEnvironment({
      services: { amindexd: fakeIndexServer(), amidxtaped: tapes([FULL, second]) },
    });
    const chunks: Buffer[] = [];
    fake.environment.stdout.write = ((chunk: Buffer, done: () => void) => {
      chunks.push(Buffer.from(chunk));
      done();
      return true;
    }) as typeof fake.environment.stdout.write;
    const words = ['--disk', '/home', 'get', '/', '--into', '-'];
    expect(await main(['recover', 's', '--config', 'daily', ...words], fake.environment)).toBe(0);
    const { stdout, status } = spawnSync('tar', ['-tf', '-'], { input: Buffer.concat(chunks) });
    expect(status).toBe(0);
    expect(stdout.toString()).toBe('./\n./one.txt\n./d/\n./d/two.txt\n./d/\n./three.txt\n');
  });

  it.each([
    [['get', '/'], /-C DIR is missing/],
    [['get', '-C', 'x'], /PATH is missing/],
    [['get', '/', '--into', 'x'], /--into takes -/],
    [['get', '/', '-C', 'x', '--into', '-'], /cannot be combined/],
    [['get', '/', '-C', 'x', '--raw'], /--raw needs --into -/],
    [['get', '/', '--into', '-', '--raw'], /--raw is for one dump, and this needs 2/],
    [['get', '/', '--into', '-', '--json'], /both want standard output/],
    [['get', '/', '--into', '-', '--overwrite'], /--overwrite needs -C/],
  ])('refuses %j', async (words, message) => {
    const { code, err, out } = await run(words);
    expect(code).toBe(2);
    expect(err + out).toMatch(message);
  });

  it('says which dumps it needs with --dry-run', async () => {
    const { code, out } = await run(['get', '/', '--dry-run']);
    expect(code).toBe(0);
    expect(out).toBe(
      '/ of db1:/home needs 2 dumps, in this order:\n' +
        '  2026-11-01 01:00:00  level 0  main:lab-1:1\n' +
        '  2026-11-03 01:00:00  level 1  main:lab-2:1,2;main:lab-3:1\n',
    );
  });
});
