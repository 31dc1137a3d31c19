import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AmandaError } from '../../src/wire/errors.js';
import { MAX_PAYLOAD } from '../../src/wire/frame.js';
import { hostileBytes } from './bytes.js';
import { memoryInUse } from '../support/memory-in-use.js';
import { decoders, type Decode } from './decoders.js';
import { factor, patience, runs } from './runs.js';

/**
 * What a decoder throws that is none of our errors; undefined for a result and for an AmandaError.
 */
function strangeErrorOf(decode: Decode, bytes: Uint8Array): unknown {
  try {
    decode(bytes);
    return undefined;
  } catch (error) {
    return error instanceof AmandaError ? undefined : error;
  }
}

/** What costs a careless decoder most: a valid start, then the same again and again. */
const fronts: Readonly<Record<string, readonly string[]>> = {
  packet: ['\x01'],
  request: ['SECURITY USER ', 'SECURITY USER a\nSERVICE noop\n'],
  'SECURITY line': ['SECURITY USER ', 'SECURITY '],
  'SERVICE line': ['SERVICE '],
  reply: ['CONNECT ', 'OPTIONS '],
  'CONNECT line of a service': ['CONNECT '],
  options: ['OPTIONS ', 'OPTIONS features='],
  DLEs: ['<dle>', '<dle><program>x</program><disk>', '<dle a', '<dle>&'],
  'request for a dump': ['OPTIONS ;\n<dle>'],
  'shared memory': ['OPTIONS '],
  'header of a dump': [
    'AMANDA: FILE ',
    'AMANDA: FILE 20261124 localhost "',
    'AMANDA: FILE 20261124 h /d lev 0 comp N program /bin/tar\n',
  ],
  datagram: ['Amanda ', 'Amanda 3.5 REQ HANDLE ', 'Amanda 3.5 REQ HANDLE h SEQ 1\n'],
  'messages of a dump': ['sendbackup: ', 'sendbackup: info ', 'sendbackup: retry '],
  'answer to selfcheck': ['MESSAGE JSON\n', 'MESSAGE JSON\n{"details":'],
  'answer to sendsize': ['/home 0 SIZE ', '"', '/home '],
  'answer to sendbackup': ['RETRY ', 'CONNECT DATA 1 '],
  '.amandahosts': ['localhost ', 'localhost backup '],
  'file of hosts': ['10.0.0.1 ', '0:', 'hosts: files ['],
  fingerprints: ['SHA1 Fingerprint='],
  configuration: ['define dumptype a ', 'auth ', 'a "', 'define dumptype a {\n'],
  disklist: ['localhost ', 'localhost /home ', 'localhost /home {\n', '"'],
  'a recording, drawn': ['{"format":"rx-amanda recording","version":1}\n'],
  'words of rx-amanda': ['dump\0', '-'],
  'words of rx-amandad': ['-auth=', '-'],
  'places of a tap': ['[', '[::1]:', 'a:'],
  'an overriding setting': ['auth=', 'dumptype:', 'dumptype:a:index='],
  'port by name': ['amanda\0', 'amanda\0amanda '],
  'what sshd says': ['192.0.2.7 '],
  'what tar says': ['Total bytes written: ', ' '],
  'request for the page': ['/token/svg?', '/token/', '/\0[', '/\0'],
};
const repeated = [
  '\0',
  '\n',
  ' ',
  'a',
  '0',
  ';',
  '=',
  ',',
  '.',
  '"',
  '\\',
  '\\7',
  '<',
  '<a>',
  '<a/>',
  '&',
  '&#',
  '[',
  '{',
  '{"a":',
  '\r\n',
  'a ',
  'a 1 ',
  'a=b;',
  '#',
  '}\n',
  'a {\n',
  '\xff',
];

function nasty(front: string, unit: string, length: number): Uint8Array {
  return new Uint8Array(
    Buffer.from(front + unit.repeat(Math.ceil(length / unit.length)), 'latin1').subarray(0, length),
  );
}

const nests = [
  ['[', '', ']'],
  ['{"a":', '1', '}'],
  ['<a>', '', '</a>'],
  ['a {\n', '', '}\n'],
  ['"', '', '"'],
] as const;

const cases = Object.entries(decoders).map(([name, decode]) => ({
  name,
  decode,
  fronts: ['', ...(fronts[name] ?? [])],
}));

describe('whatever comes from outside', () => {
  test('is read, or refused with an AmandaError', { timeout: patience }, () => {
    let inputs = 0;
    fc.assert(
      fc.property(hostileBytes(), (bytes) => {
        for (const { name, decode } of cases) {
          inputs += 1;
          const error = strangeErrorOf(decode, bytes);
          if (error !== undefined)
            throw new Error(`${name} throws what is no AmandaError`, { cause: error });
        }
      }),
      runs(3_000),
    );
    console.log(`${inputs} inputs for ${cases.length} decoders`);
    expect(inputs).toBeGreaterThanOrEqual(3_000 * factor * cases.length);
  });

  test('may be nested deeply', () => {
    for (const [open, middle, end] of nests) {
      for (const { name, decode } of cases) {
        const bytes = new Uint8Array(
          Buffer.from(open.repeat(50_000) + middle + end.repeat(50_000)),
        );
        const message = new Uint8Array(
          Buffer.from(
            `MESSAGE JSON\n{"details":${open.repeat(50_000)}${middle}${end.repeat(50_000)}}`,
          ),
        );
        expect([
          name,
          open,
          strangeErrorOf(decode, bytes),
          strangeErrorOf(decode, message),
        ]).toEqual([name, open, undefined, undefined]);
      }
    }
  });

  test('may be as large as a packet can be', { timeout: 120_000 }, () => {
    for (const { name, decode, fronts: front } of cases) {
      for (const unit of ['\n', '"']) {
        const bytes = nasty(front.at(-1) ?? '', unit, MAX_PAYLOAD - 2);
        expect([name, unit, strangeErrorOf(decode, bytes)]).toEqual([name, unit, undefined]);
      }
    }
  });
});

/**
 * Milliseconds of processor time of the fastest of several tries: what a busy machine adds is left
 * out.
 */
function fastest(decode: Decode, bytes: Uint8Array): number {
  let best = Infinity;
  for (let tries = 0; tries < 5; tries += 1) {
    const begin = process.cpuUsage();
    strangeErrorOf(decode, bytes);
    const { user, system } = process.cpuUsage(begin);
    best = Math.min(best, (user + system) / 1_000);
    if (best < TOO_FAST_TO_TELL) break;
  }
  return best;
}

/** Milliseconds; what is quadratic takes seconds for the larger inputs. */
const TOO_FAST_TO_TELL = 80;
const SMALL = 16_384;

describe('reading', () => {
  // Eight times the bytes: a linear decoder takes 8 times as long, a quadratic one 64 times.
  test.each(cases)(
    'takes time in proportion to the bytes: $name',
    { timeout: 60_000 },
    ({ decode, fronts: all }) => {
      for (const front of all) {
        for (const unit of repeated) {
          const large = fastest(decode, nasty(front, unit, 8 * SMALL));
          if (large < TOO_FAST_TO_TELL) continue;
          const ratio = large / fastest(decode, nasty(front, unit, SMALL));
          if (ratio < 27) continue;
          // Among many small objects the collector may make that much of it. It does not go on so,
          // as a quadratic decoder does: 16 times.
          const further = fastest(decode, nasty(front, unit, 32 * SMALL)) / large;
          expect([front, unit, ratio, further]).toEqual([
            front,
            unit,
            ratio,
            expect.toSatisfy((factor: number) => factor < 9),
          ]);
        }
      }
    },
  );

  test('keeps memory in proportion to the bytes', { timeout: 60_000 }, () => {
    const size = 524_288;
    let most = { bytes: 0, of: '' };
    for (const { name, decode, fronts: all } of cases) {
      for (const unit of ['\n', '<a/>', 'a 1 ']) {
        const bytes = nasty(all.at(-1) ?? '', unit, size);
        const before = memoryInUse();
        const kept = resultOf(decode, bytes);
        const grown = memoryInUse() - before;
        if (grown > most.bytes) most = { bytes: grown, of: `${name}, ${JSON.stringify(unit)}` };
        expect([name, unit, kept === cases, grown < 200 * size]).toEqual([name, unit, false, true]);
      }
    }
    console.log(
      `at most ${(most.bytes / size).toFixed(1)} bytes are kept for one that came (${most.of})`,
    );
  });
});

function resultOf(decode: Decode, bytes: Uint8Array): unknown {
  try {
    return decode(bytes);
  } catch (error) {
    return error;
  }
}
