import { describe, expect, test } from 'vitest';
import { toDumpInfo } from '../../src/initiator/dump-info.js';
import { judgeDump, type DumpFacts } from '../../src/initiator/judge-dump.js';

const received = { crc: 0x1234_5678, bytes: 2049 };
const other = { crc: 0x1234_5679, bytes: 2049 };
const shorter = { crc: 0x1234_5678, bytes: 2048 };
const info = (...lines: readonly (readonly [string, string])[]) => toDumpInfo(new Map(lines));
const whole: DumpFacts = {
  dle: { program: 'GNUTAR', disk: '/home' },
  peer: 'client (bsdtcp)',
  info: info(),
  received,
  ended: true,
  indexed: false,
  size: 3,
  native: received,
  client: received,
};
const judged = (changes: Partial<DumpFacts>) => judgeDump({ ...whole, ...changes })?.code;

describe('judgeDump', () => {
  test('finds nothing wrong with a dump in which all agrees', () => {
    expect(judged({})).toBeUndefined();
    expect(judged({ native: undefined, client: undefined })).toBeUndefined();
    expect(judged({ size: -1 })).toBeUndefined();
  });

  test('misses an index only where one was asked for', () => {
    const dle = { ...whole.dle, index: true };
    expect(judged({ dle })).toBe('INCOMPLETE_DUMP');
    expect(judged({ dle, indexed: true })).toBeUndefined();
    expect(judged({ indexed: true })).toBeUndefined();
  });

  test('misses the end, the data and the size', () => {
    expect(judged({ ended: false })).toBe('INCOMPLETE_DUMP');
    expect(
      judged({ received: { crc: 0, bytes: 0 }, native: undefined, client: undefined, size: 0 }),
    ).toBe('INCOMPLETE_DUMP');
    expect(judged({ size: undefined })).toBe('INCOMPLETE_DUMP');
    expect(judged({ size: -1, client: undefined })).toBe('INCOMPLETE_DUMP');
  });

  test.each([
    ['the CRC that the client sent', { client: other, native: undefined }],
    ['the count that the client sent', { client: shorter, native: undefined }],
    ['the CRC of the dump program', { client: undefined, native: other }],
    ['the count of the dump program', { client: undefined, native: shorter, size: 2 }],
    ['a checksum of nothing', { client: { crc: 0, bytes: 0 }, native: undefined }],
    ['the size, rounded up', { size: 2 }],
    ['the size, where no checksum came', { size: 4, native: undefined, client: undefined }],
  ])('does not let pass another value for %s', (_, changes) => {
    expect(judged(changes)).toBe('CHECKSUM_MISMATCH');
  });

  test.each([
    ['compresses', { dle: { ...whole.dle, compress: { method: 'BEST' } } }],
    ['says that it compresses', { info: info(['COMPRESS_SUFFIX', '.gz']) }],
    ['encrypts', { dle: { ...whole.dle, encrypt: { method: 'CUSTOM', program: '/bin/enc' } } }],
    ['says that it encrypts', { info: info(['CLIENT_ENCRYPT', '/bin/enc']) }],
  ] as const)('holds the size to what the dump program wrote when the client %s', (_, changes) => {
    expect(judged({ ...changes, native: { crc: 1, bytes: 10_240 }, size: 10 })).toBeUndefined();
    expect(judged({ ...changes, native: { crc: 1, bytes: 10_240 }, size: 11 })).toBe(
      'CHECKSUM_MISMATCH',
    );
    expect(judged({ ...changes, native: undefined, size: 99 })).toBeUndefined();
    expect(judged({ ...changes, native: undefined, client: other })).toBe('CHECKSUM_MISMATCH');
  });

  test('takes what the server was to compress as it came', () => {
    const dle = { ...whole.dle, compress: { method: 'SERVER-FAST' } } as const;
    expect(judged({ dle, info: info(['COMPRESS_SUFFIX', '.gz']) })).toBeUndefined();
    expect(
      judged({ dle, info: info(['COMPRESS_SUFFIX', '.gz']), native: other, client: undefined }),
    ).toBe('CHECKSUM_MISMATCH');
  });

  test('holds only those to their size that count exactly', () => {
    expect(judged({ dle: { program: 'DUMP', disk: '/home' }, size: 99 })).toBeUndefined();
    expect(
      judged({
        dle: { program: 'APPLICATION', disk: '/home' },
        info: info(['APPLICATION', 'amgtar']),
        size: 99,
      }),
    ).toBe('CHECKSUM_MISMATCH');
  });
});
