import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/rx-amanda/main.js';
import { crc32c } from '../../../src/wire/crc32c.js';
import { encodeDumpHeader, type DumpHeader } from '../../../src/wire/dumpfile.js';
import { writtenTar } from '../../support/tar-blocks.js';
import { fakeEnvironment } from '../fake-environment.js';

const folder = mkdtempSync(join(tmpdir(), 'rx-amanda-verify-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const TAR = writtenTar(
  { name: './', type: '5' },
  { name: './a/', type: '5' },
  { name: './a/one', data: 'x'.repeat(100_000) },
  { name: './two', data: 'two' },
);
const INDEX = '/\n/a/\n/a/one\n/two\n';
const sum = (bytes: Uint8Array) => ({ crc: crc32c(bytes), bytes: bytes.length });
const HEADER: DumpHeader = {
  type: 'FILE',
  datestamp: '20261101010000',
  host: 'db1',
  disk: '/home',
  level: 0,
  program: '/bin/tar',
  nativeChecksum: sum(TAR),
  clientChecksum: sum(TAR),
  serverChecksum: sum(TAR),
};

function file(name: string, image: Uint8Array, header: Partial<DumpHeader> = {}): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([encodeDumpHeader({ ...HEADER, ...header }), image]));
  return path;
}

async function verify(...words: string[]) {
  const fake = fakeEnvironment();
  const code = await main(['verify', ...words], fake.environment);
  return { code, out: fake.out(), err: fake.err() };
}

function flipped(image: Uint8Array, byte: number): Buffer {
  const bytes = Buffer.from(image);
  bytes[byte] = (bytes[byte] ?? 0) ^ 4;
  return bytes;
}

describe('rx-amanda verify FILE', () => {
  it('proves a good dump', async () => {
    writeFileSync(join(folder, 'index'), INDEX);
    const path = file('good', TAR);
    const { code, out } = await verify(path, '--index', join(folder, 'index'));
    expect(out).toBe(
      `good  db1:/home level 0 of 2026-11-01 01:00:00, ${path}\n` +
        '      102 KiB, 4 entries; compared: server CRC, client CRC, native CRC, archive, index\n',
    );
    expect(code).toBe(0);
  });

  it('proves a compressed dump, and compares a compressed index', async () => {
    const image = gzipSync(TAR);
    const path = file('gz', image, {
      compression: '.gz',
      clientChecksum: sum(image),
      serverChecksum: sum(image),
    });
    writeFileSync(join(folder, 'index.gz'), gzipSync(INDEX));
    const { code, out } = await verify('--json', path, '--index', join(folder, 'index.gz'));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      dumps: [{ host: 'db1', good: true, entries: 4, findings: [] }],
    });
  });

  it.each<[string, () => string[], RegExp[]]>([
    [
      'a flipped bit, with its file',
      () => [file('flip', flipped(TAR, 5_000))],
      [/bit 2 of byte 5000 of the image is flipped/, /flipped bit is in \/a\/one/],
    ],
    [
      'a flipped bit in a header of the archive',
      () => [file('head', flipped(TAR, 600))],
      [/bit 2 of byte 600 /, /block at byte 512 is damaged.*last entry before it is \/, at byte 0/],
    ],
    [
      'a flipped bit in a compressed dump',
      () => {
        const image = gzipSync(TAR);
        const sums = { clientChecksum: sum(image), serverChecksum: sum(image) };
        return [file('gzflip', flipped(image, 90), { compression: '.gz', ...sums })];
      },
      [/bit 2 of byte 90 of the image/, /archive: /],
    ],
    [
      'a missing block',
      () => [file('gap', Buffer.concat([TAR.subarray(0, 32_768), TAR.subarray(65_536)]))],
      [/32768 bytes are missing/, /archive: .*last entry before it is \/a\/one, at byte 1024/],
    ],
    ['an end too early', () => [file('cut', TAR.subarray(0, 70_000))], [/ends after 70000 bytes/]],
    [
      'a name that the index has alone',
      () => {
        writeFileSync(join(folder, 'more'), `${INDEX}/gone\\n\n`);
        return [file('more.dump', TAR), '--index', join(folder, 'more')];
      },
      [/index: The archive has no \/gone\\n\./],
    ],
    [
      'a name that the archive has alone',
      () => {
        writeFileSync(join(folder, 'less'), '/\n/a/\n');
        return [file('less.dump', TAR), '--index', join(folder, 'less')];
      },
      [/index: The index has no \/a\/one, \/two\./],
    ],
    [
      'the wrong order of parts',
      () =>
        [2, 1].map((number) =>
          file(`part${number}`, number === 1 ? TAR.subarray(0, 65_536) : TAR.subarray(65_536), {
            type: 'SPLIT_FILE',
            part: { number, total: 2 },
          }),
        ),
      [/part2 is part 2, where part 1 belongs/, /part1 is part 1, where part 2 belongs/],
    ],
    [
      'a missing part',
      () => [
        file('only', TAR.subarray(0, 65_536), {
          type: 'SPLIT_FILE',
          part: { number: 1, total: 2 },
        }),
      ],
      [/There are 1 of the 2 parts/, /bytes are missing/],
    ],
    [
      'a part of another dump',
      () => [
        file('p1', TAR, { type: 'SPLIT_FILE', part: { number: 1, total: 2 } }),
        file('p2', TAR, { type: 'SPLIT_FILE', part: { number: 2, total: 2 }, disk: '/other' }),
      ],
      [/is of another dump: .*\/other/],
    ],
    [
      'what is no dump',
      () => {
        writeFileSync(join(folder, 'none'), 'x'.repeat(40_000));
        return [join(folder, 'none')];
      },
      [/header: This is not the header/],
    ],
    [
      'a program that may not run',
      () => [
        file('cust', TAR, {
          compression: 'cust',
          coding: [['client_custom_compress', '/bin/evil']],
        }),
      ],
      [/--allow-program \/bin\/evil/],
    ],
  ])('finds %s', async (_, words, messages) => {
    const { code, out } = await verify(...words());
    for (const message of messages) expect(out).toMatch(message);
    expect([code, out.slice(0, 4)]).toEqual([1, 'BAD ']);
  });

  it('follows the pieces on a holding disk', async () => {
    const path = file('hold', TAR.subarray(0, 50_000), { continuedIn: '/elsewhere/hold.1' });
    file('hold.1', TAR.subarray(50_000), { type: 'CONT_FILE' });
    expect((await verify(path)).code).toBe(0);
  });

  it.each([
    [[], 2, /FILE or --server SERVER is missing/],
    [['x', '--server', 's', '--config', 'c'], 2, /cannot be combined/],
    [['--server', 's', '--config', 'c', '--all', '--disk', 'd'], 2, /--all takes no --disk/],
    [['--server', 's'], 2, /--config NAME is missing/],
    [['/nowhere/at/all'], 1, /no such file/],
  ])('refuses %j', async (words, expected, message) => {
    const { code, err, out } = await verify(...words);
    expect([code, err + out]).toEqual([expected, expect.stringMatching(message)]);
  });
});
