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

  test.each<[Partial<DumpHeader>, string]>([
    [{ datestamp: 'today' }, 'datestamp of a dump header cannot be "today"'],
    [{ datestamp: 'xX' }, 'datestamp'],
    [{ datestamp: 'Xx' }, 'datestamp'],
    [{ datestamp: '202611240' }, 'datestamp'],
    [{ host: 'a b' }, 'host of a dump header cannot be "a b"'],
    [{ host: '' }, 'host'],
    [{ disk: '' }, 'disk of a dump header cannot be ""'],
    [{ disk: 'a\0' }, 'disk'],
    [{ program: 'a\nb' }, 'program of a dump header cannot be'],
    [{ level: 400 }, 'level of a dump header must be a whole number from 0 to 399, not 400'],
    [{ level: -1 }, 'level'],
    [{ compression: 'N' }, 'compression of a dump header cannot be "N"'],
    [{ compression: 'a b' }, 'compression of a dump header cannot be "a b"'],
    [{ type: 'SPLIT_FILE' }, 'has a part if it is a SPLIT_FILE'],
    [{ part: { number: 1, total: 1 } }, 'has a part if it is a SPLIT_FILE'],
    [
      { type: 'SPLIT_FILE', part: { number: 3, total: 2 } },
      'part of a dump header must be a whole number from 3 to 2147483647, not 2',
    ],
    [
      { type: 'SPLIT_FILE', part: { number: 0, total: undefined } },
      'part of a dump header must be a whole number from 1 to 2147483647, not 0',
    ],
    [{ coding: [['crypt', '']] }, 'crypt of a dump header cannot be ""'],
    [{ coding: [['', 'x']] }, 'coding of a dump header cannot be ""'],
    [{ application: 'a\nb' }, 'APPLICATION of a dump header cannot be'],
    [{ application: 'a\0b' }, 'APPLICATION of a dump header cannot be'],
    [{ originalSize: -1 }, 'originalSize of a dump header must be a whole number from 0'],
    [{ nativeChecksum: { crc: -1, bytes: 0 } }, 'checksum of a dump header must be a whole number'],
    [{ nativeChecksum: { crc: 0, bytes: -1 } }, 'checksum of a dump header must be a whole number'],
    [{ restore: 'a\nb' }, 'restore of a dump header cannot be'],
    [{ dle: 'a\n\f\nb' }, 'dle of a dump header cannot be'],
    [{ dle: '\f' }, 'dle of a dump header cannot be'],
    [{ dle: 'a\0b' }, 'dle of a dump header cannot be'],
  ])('refuses %j', (part, message) => {
    expect(() => encodeDumpHeader({ ...least, ...part })).toThrow(
      expect.objectContaining({
        code: 'BAD_ARGUMENT',
        message: expect.stringContaining(message) as unknown,
      }),
    );
  });

  test('writes what may be left out only where it is there', () => {
    const tail =
      'To restore, position tape at start of file and run:\n\tdd if=<tape> bs=32k skip=1 | ';
    const first = 'AMANDA: FILE X h d  lev 1 comp N program p\n';
    expect(front(encodeDumpHeader(least))).toBe(`${first}${tail}\n\f\n`);
    expect(front(encodeDumpHeader({ ...least, partial: true }))).toBe(
      `${first}PARTIAL=YES\n${tail}\n\f\n`,
    );
    expect(front(encodeDumpHeader({ ...least, partial: false }))).toBe(`${first}${tail}\n\f\n`);
    expect(front(encodeDumpHeader({ ...least, dle: 'x'.repeat(30_720) }))).toBe(
      `${first}${tail}\n\f\n`,
    );
    expect(front(encodeDumpHeader({ ...least, dle: 'x'.repeat(30_719) }))).toContain('DLE=<<');
    expect(
      line({
        coding: [
          ['a', 'b'],
          ['c', 'd'],
        ],
      }),
    ).toBe('AMANDA: FILE X h d  lev 1 comp N program p a b c d');
  });

  test('fills 32 KiB, and not more', () => {
    const size = front(encodeDumpHeader(least)).length;
    const fits = { ...least, disk: 'x'.repeat(32_768 - size + 1) };
    expect(encodeDumpHeader(fits).includes(0)).toBe(false);
    expect(decodeDumpHeader(encodeDumpHeader(fits)).disk).toBe(fits.disk);
    expect(() => encodeDumpHeader({ ...fits, disk: `${fits.disk}x` })).toThrow(
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

  const lead = 'AMANDA: FILE X h d  lev 0 comp N program p\n';

  test.each([
    ['hello', 'it begins with "hello"'],
    ['\0', 'it is of type "", and no dump'],
    ['AMANDA: \n\f\n', 'it is of type "", and no dump'],
    ['AMANDA: TAPESTART DATE 20261123 TAPE lab-1\n\f\n', 'it is of type "TAPESTART", and no dump'],
    ['AMANDA: TAPEEND DATE X\n\f\n', 'it is of type "TAPEEND", and no dump'],
    ['AMANDA: TAPE X h d  lev 0 comp N program p\n\f\n', 'it is of type "TAPE", and no dump'],
    ['AMANDA: FILE X h d\n\f\n', 'its first line is "AMANDA: FILE X h d"'],
    ['AMANDA: FILE X h d  lev x comp N\n\f\n', 'its first line is'],
    ['AMANDA: FILE X h d  lev 1x comp N\n\f\n', 'its first line is'],
    ['AMANDA: FILE X h d  lev x1 comp N\n\f\n', 'its first line is'],
    ['AMANDA: FILE X h d  lev 1000 comp N\n\f\n', 'its first line is'],
    ['AMANDA: FILE X h d  xlev 0 comp N\n\f\n', 'its first line is'],
    ['AMANDA: FILE X h d  lev 0 Comp N\n\f\n', 'its first line is'],
    ['AMANDA: FILE X h d  lev 0 comp\n\f\n', 'its first line is'],
    ['AMANDA: SPLIT_FILE X h d  lev 0 comp N\n\f\n', 'its first line is'],
    ['AMANDA: SPLIT_FILE X h d  piece 1/2  lev 0 comp N\n\f\n', 'it does not say which part'],
    ['AMANDA: SPLIT_FILE X h d  part 1  lev 0 comp N\n\f\n', 'it does not say which part'],
    ['AMANDA: SPLIT_FILE X h d  part x1/2  lev 0 comp N\n\f\n', 'it does not say which part'],
    ['AMANDA: SPLIT_FILE X h d  part 1/2x  lev 0 comp N\n\f\n', 'it does not say which part'],
    ['AMANDA: SPLIT_FILE X h d  xpart 1/2  lev 0 comp N\n\f\n', 'it does not say which part'],
    [`${lead}NATIVE-CRC=x\n\f\n`, 'a checksum in it is "x"'],
    [`${lead}ORIGSIZE=-1\n\f\n`, 'its ORIGSIZE is "-1"'],
    [`${lead}ORIGSIZE=1e3\n\f\n`, 'its ORIGSIZE is "1e3"'],
    [`${lead}ORIGSIZE= 1\n\f\n`, 'its ORIGSIZE is " 1"'],
    [`${lead}ORIGSIZE=9007199254740992\n\f\n`, 'its ORIGSIZE is "9007199254740992"'],
    [`${lead}DLE=<<END\nx\n\f\n`, 'its DLE does not end'],
    [`${lead}DLE=<<END\nx\nENDE\n\f\n`, 'its DLE does not end'],
  ])('refuses %j', (text, message) => {
    expect(() => decodeDumpHeader(bytes(text))).toThrow(
      expect.objectContaining({
        code: 'BAD_DUMP_HEADER',
        message: expect.stringContaining(message) as unknown,
      }),
    );
  });

  const rest = (lines: string) => {
    const { type, datestamp, host, disk, level, program, ...others } = decodeDumpHeader(
      bytes(`${lead}${lines}\n\f\n`),
    );
    expect([type, datestamp, host, disk, level, program]).toEqual(['FILE', 'X', 'h', 'd', 0, 'p']);
    return others;
  };

  test('reads the lines that it knows, and ignores others', () => {
    expect(rest('PARTIAL=no\nORIGSIZE=9007199254740991')).toEqual({
      partial: false,
      originalSize: 9_007_199_254_740_991,
    });
    expect(rest('PARTIAL=yes\nAPPLICATION=a=b')).toEqual({ partial: true, application: 'a=b' });
    expect(rest('PARTIAL\nx PARTIAL=YES\nOTHER=<<END\nAPPLICATIONS=x\nx | y')).toEqual({});
    expect(rest('DLE=')).toEqual({ dle: '' });
  });

  test('reads a DLE up to its end, whatever is in and before it', () => {
    expect(rest('ENDDLE\nDLE=<<ENDDLE\nPARTIAL=YES\nDLE=<<X\n\nENDDLE\nAPPLICATION=a')).toEqual({
      dle: 'PARTIAL=YES\nDLE=<<X\n',
      application: 'a',
    });
    expect(rest('DLE=<<PARTIAL=YES\nx\nPARTIAL=YES')).toEqual({ dle: 'x' });
    expect(rest('DLE=<<\n')).toEqual({ dle: '' });
  });

  test('reads how to restore, if a command is there', () => {
    expect(rest('\tdd if=<tape> bs=32k skip=1 | a | b ')).toEqual({ restore: 'a | b' });
    expect(rest('\tdd if=<tape> bs=32k skip=1 | ')).toEqual({});
    expect(rest('\tdd if=<tape> bs=32k skip=1')).toEqual({});
    expect(rest('\tdd if=/dev/st0 | x')).toEqual({});
  });

  test('does not read beyond the end of the header', () => {
    expect(rest('APPLICATION=a\n\f\nPARTIAL=YES')).toEqual({ application: 'a' });
    expect(decodeDumpHeader(bytes(`${lead}APPLICATION=a\0PARTIAL=YES`)).application).toBe('a');
    const long = bytes(`${lead}APPLICATION=${'a'.repeat(40_000)}\n\f\n`);
    expect(decodeDumpHeader(long).application).toHaveLength(32_768 - lead.length - 12);
    expect(() => decodeDumpHeader(long.subarray(0, 32_767))).toThrow(
      expect.objectContaining({ code: 'TRUNCATED' }),
    );
  });

  test('reads a first line without a program, and parts of many digits', () => {
    const header = (text: string) => decodeDumpHeader(bytes(`AMANDA: ${text}\n\f\n`));
    expect(header('FILE X h d lev 12 comp N other x y z')).toStrictEqual({
      type: 'FILE',
      datestamp: 'X',
      host: 'h',
      disk: 'd',
      level: 12,
      program: '',
    });
    expect(header('FILE X h d lev 0 comp N program').program).toBe('');
    expect(header('SPLIT_FILE X h d part 12/345 lev 0 comp N program p').part).toEqual({
      number: 12,
      total: 345,
    });
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
    'reads our header for the disk %j and gives back the data after it',
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
