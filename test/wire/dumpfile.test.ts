import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeDumpHeader, encodeDumpHeader, type DumpHeader } from '../../src/wire/dumpfile.js';
import { isAmandaError } from '../../src/wire/errors.js';
import { describeUnless } from '../support/skips.js';

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

// The header in capture amrecover-gnutar.2, as 3.5.1 wrote it.
const seen = `AMANDA: FILE 20261123195507 localhost gnutar  lev 0 comp N program /bin/tar
ORIGSIZE=10
NATIVE-CRC=0cda24b5:10240
CLIENT-CRC=0cda24b5:10240
SERVER-CRC=0cda24b5:10240
DLE=<<ENDDLE
<dle>
  <program>GNUTAR</program>
  <disk>gnutar</disk>
  <diskdevice>/tmp/lab/tiny</diskdevice>
  <level>0</level>
  <auth>bsdtcp</auth>
  <record>NO</record>
  <index>YES</index>
  <datapath>AMANDA</datapath>
</dle>
ENDDLE
To restore, position tape at start of file and run:
\tdd if=<tape> bs=32k skip=1 | /bin/tar -xpGf - ... \n\f
`;
const checksum = { crc: 0x0cda_24b5, bytes: 10240 };
const header: DumpHeader = {
  type: 'FILE',
  datestamp: '20261123195507',
  host: 'localhost',
  disk: 'gnutar',
  level: 0,
  program: '/bin/tar',
  originalSize: 10,
  nativeChecksum: checksum,
  clientChecksum: checksum,
  serverChecksum: checksum,
  dle: seen.slice(seen.indexOf('<dle>'), seen.indexOf('\nENDDLE\n')),
  restore: '/bin/tar -xpGf - ...',
};
const least: DumpHeader = {
  type: 'FILE',
  datestamp: 'X',
  host: 'h',
  disk: 'd',
  level: 1,
  program: 'p',
};
const front = (block: Uint8Array) => Buffer.from(block.subarray(0, block.indexOf(0))).toString();
const line = (part: Partial<DumpHeader>) =>
  front(encodeDumpHeader({ ...least, ...part })).split('\n')[0];

describe('encodeDumpHeader', () => {
  test('writes what 3.5.1 writes, and zeros up to 32 KiB', () => {
    const block = encodeDumpHeader(header);
    expect(block).toHaveLength(32_768);
    expect(front(block)).toBe(seen);
    expect(block.subarray(seen.length).every((byte) => byte === 0)).toBe(true);
  });

  test('writes the first line of every kind', () => {
    expect(line({})).toBe('AMANDA: FILE X h d  lev 1 comp N program p');
    expect(line({ compression: '.gz' })).toBe('AMANDA: FILE X h d  lev 1 comp .gz program p');
    expect(line({ type: 'SPLIT_FILE', part: { number: 2, total: undefined } })).toBe(
      'AMANDA: SPLIT_FILE X h d  part 2/-1  lev 1 comp N program p',
    );
    expect(line({ coding: [['crypt', 'enc']] })).toBe(
      'AMANDA: FILE X h d  lev 1 comp N program p crypt enc',
    );
  });

  test.each([
    ['/a b', '"/a b"'],
    ['C:', '"C:"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['a\nb\tc', '"a\\nb\\tc"'],
    ['/hä', '"/hä"'],
    ["it's", '"it\'s"'],
  ])('quotes the disk %j', (disk, quoted) => {
    expect(line({ disk })).toBe(`AMANDA: FILE X h ${quoted}  lev 1 comp N program p`);
  });

  test('ends a DLE with a line that is not in it', () => {
    expect(front(encodeDumpHeader({ ...least, dle: 'a\nENDDLE\nENDDLE1\n' }))).toContain(
      'DLE=<<ENDDLE2\na\nENDDLE\nENDDLE1\n\nENDDLE2\nTo restore',
    );
  });

  test('leaves out a DLE that has no room', () => {
    expect(
      decodeDumpHeader(encodeDumpHeader({ ...least, dle: 'x'.repeat(30_720) })).dle,
    ).toBeUndefined();
  });

  test.each<Partial<DumpHeader>>([
    { datestamp: 'today' },
    { host: 'a b' },
    { host: '' },
    { disk: '' },
    { disk: 'a\0' },
    { program: 'a\nb' },
    { level: 400 },
    { level: -1 },
    { compression: 'N' },
    { type: 'SPLIT_FILE' },
    { part: { number: 1, total: 1 } },
    { type: 'SPLIT_FILE', part: { number: 3, total: 2 } },
    { coding: [['crypt', '']] },
    { application: 'a\nb' },
    { originalSize: -1 },
    { nativeChecksum: { crc: -1, bytes: 0 } },
    { restore: 'a\nb' },
    { dle: 'a\n\f\nb' },
  ])('refuses %j', (part) => {
    expect(() => encodeDumpHeader({ ...least, ...part })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    );
  });
});

test('a header over 32 KiB is refused', () => {
  expect(() => encodeDumpHeader({ ...least, disk: 'x'.repeat(33_000) })).toThrow(
    expect.objectContaining({ code: 'BAD_ARGUMENT' }),
  );
});

describe('decodeDumpHeader', () => {
  test('reads what 3.5.1 wrote, with and without the zeros', () => {
    expect(decodeDumpHeader(bytes(seen))).toEqual(header);
    expect(decodeDumpHeader(bytes(seen.padEnd(40_000, '\0')))).toEqual(header);
  });

  test('reads the pieces of a dump', () => {
    const piece = decodeDumpHeader(
      bytes(
        'AMANDA: CONT_FILE 20261123 h "a b" lev 3 comp .gz program GNUTAR crypt enc client_encrypt /x\nCONT_FILENAME=/hold/a.2\nPARTIAL=YES\nDLE=x\n\f\n',
      ),
    );
    expect(piece).toEqual({
      type: 'CONT_FILE',
      datestamp: '20261123',
      host: 'h',
      disk: 'a b',
      level: 3,
      compression: '.gz',
      program: 'GNUTAR',
      coding: [
        ['crypt', 'enc'],
        ['client_encrypt', '/x'],
      ],
      continuedIn: '/hold/a.2',
      partial: true,
      dle: 'x',
    });
    expect(
      decodeDumpHeader(
        bytes('AMANDA: SPLIT_FILE 20261123 h d  part 2/-1  lev 0 comp N program p\n\f\n'),
      ).part,
    ).toEqual({ number: 2, total: undefined });
    expect(
      decodeDumpHeader(bytes('AMANDA: SPLIT_FILE 20261123 h d  part 2/7  lev 0 comp N\n\f\n')),
    ).toMatchObject({
      part: { number: 2, total: 7 },
      program: '',
    });
  });

  test('reads a disk in quotes with every kind of escape', () => {
    expect(
      decodeDumpHeader(
        bytes('AMANDA: FILE X h "\\303\\244 \\"\\\\\\n\\q"  lev 0 comp N program p\n\f\n'),
      ).disk,
    ).toBe('ä "\\\nq');
  });

  test('says that a header is cut, and where', () => {
    const cut = bytes(seen).subarray(0, 100);
    expect(() => decodeDumpHeader(cut)).toThrow(/, 100 of 32768 bytes in/);
    expect(() => decodeDumpHeader(cut)).toThrow(expect.objectContaining({ code: 'TRUNCATED' }));
    expect(() => decodeDumpHeader(new Uint8Array(0))).toThrow(
      expect.objectContaining({ code: 'TRUNCATED' }),
    );
  });

  test.each([
    'hello',
    '\0',
    'AMANDA: TAPESTART DATE 20261123 TAPE lab-1\n\f\n',
    'AMANDA: TAPEEND DATE X\n\f\n',
    'AMANDA: FILE X h d\n\f\n',
    'AMANDA: FILE X h d  lev x comp N\n\f\n',
    'AMANDA: SPLIT_FILE X h d  lev 0 comp N\n\f\n',
    'AMANDA: FILE X h d  lev 0 comp N program p\nNATIVE-CRC=x\n\f\n',
    'AMANDA: FILE X h d  lev 0 comp N program p\nORIGSIZE=-1\n\f\n',
    'AMANDA: FILE X h d  lev 0 comp N program p\nDLE=<<END\nx\n\f\n',
  ])('refuses %j', (text) => {
    expect(() => decodeDumpHeader(bytes(text))).toThrow(
      expect.objectContaining({ code: 'BAD_DUMP_HEADER' }),
    );
  });

  test('reads back what was written', () => {
    const word = fc.stringMatching(/^[!#-Z^-~]{1,20}$/);
    const sum = fc.record({ crc: fc.nat(0xffff_ffff), bytes: fc.maxSafeNat() });
    const any = fc.record(
      {
        type: fc.constantFrom('FILE', 'CONT_FILE'),
        datestamp: fc.stringMatching(/^([0-9]{8}|[0-9]{14}|X)$/),
        host: word,
        disk: fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('\0')),
        level: fc.nat(399),
        program: word,
        compression: word.filter((suffix) => suffix !== 'N'),
        continuedIn: word,
        application: word,
        originalSize: fc.maxSafeNat(),
        nativeChecksum: sum,
        clientChecksum: sum,
        serverChecksum: sum,
        dle: fc
          .array(fc.constantFrom('<dle>', '', 'ENDDLE', 'ENDDLE1', 'DLE=', 'x'), { minLength: 1 })
          .map((lines) => lines.join('\n')),
        restore: word,
      },
      {
        requiredKeys: ['type', 'datestamp', 'host', 'disk', 'level', 'program'],
        noNullPrototype: true,
      },
    );
    fc.assert(
      fc.property(any, (written: DumpHeader) => {
        expect(decodeDumpHeader(encodeDumpHeader(written))).toEqual(written);
      }),
    );
  });

  test('throws nothing but an AmandaError, whatever comes', () => {
    const start = fc.constantFrom(
      '',
      'AMANDA: ',
      'AMANDA: FILE X h "',
      'AMANDA: FILE X h d  lev 0 comp N program p\n',
      'AMANDA: FILE X h d  lev 0 comp N program p\nDLE=<<\n',
    );
    fc.assert(
      fc.property(start, fc.uint8Array(), fc.boolean(), (head, rest, ends) => {
        try {
          decodeDumpHeader(
            new Uint8Array([...bytes(head), ...rest, ...bytes(ends ? '\n\f\n' : '')]),
          );
        } catch (error) {
          expect(isAmandaError(error)).toBe(true);
        }
      }),
    );
  });
});

const amrestore = '/usr/sbin/amrestore';
const missing = !existsSync(amrestore)
  ? `${amrestore} is not installed`
  : process.getuid?.() !== 0
    ? 'amrestore runs as the user backup, and only root can become that'
    : undefined;

describeUnless(missing, 'the real amrestore', () => {
  test.each(['data', '/a b/hä:"x"'])(
    'reads our header for the disk %j and gives back the data behind it',
    (disk) => {
      const folder = mkdtempSync(join(tmpdir(), 'rx-amanda-header-'));
      try {
        const data = Buffer.from('what was backed up\n'.repeat(3000));
        writeFileSync(
          join(folder, 'dump'),
          Buffer.concat([encodeDumpHeader({ ...header, disk }), data]),
        );
        chmodSync(folder, 0o755);
        const run = (option: string) =>
          execFileSync(
            'runuser',
            ['-u', 'backup', '--', amrestore, option, '-p', join(folder, 'dump')],
            { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] },
          );
        expect(run('-p').equals(data)).toBe(true);
        expect(decodeDumpHeader(run('-r'))).toEqual({ ...header, disk });
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});
