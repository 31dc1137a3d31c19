import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAmandaError } from '../../src/wire/errors.js';
import { formatConnect, parseReply, refusal, splitConnect } from '../../src/wire/reply.js';

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

describe('parseReply', () => {
  test('reads the reply of sendbackup', () => {
    const reply = parseReply(
      bytes('CONNECT DATA 499999 MESG 499998 INDEX -1 STATE 499997\nOPTIONS features=ff;\n'),
    );
    expect(reply.connect).toEqual([
      { name: 'DATA', handle: 499999 },
      { name: 'MESG', handle: 499998 },
      { name: 'INDEX', handle: undefined },
      { name: 'STATE', handle: 499997 },
    ]);
    expect(reply.options?.features?.toString()).toBe('ff');
    expect(reply.errors).toEqual([]);
    expect(reply.lines).toEqual([]);
  });

  test('reads the reply of sendsize', () => {
    const text = 'OPTIONS features=ff;\ngnutar 0 SIZE 10\ngnutar 0 ERROR "no such directory"\n';
    const reply = parseReply(bytes(text));
    expect(reply.lines).toEqual(['gnutar 0 SIZE 10', 'gnutar 0 ERROR "no such directory"']);
    expect(reply.errors).toEqual([]);
    expect(reply.text).toBe(text);
  });

  test('collects the ERROR lines, wherever they are', () => {
    const reply = parseReply(
      bytes(
        'ERROR [unknown option "x=2"]\nCONNECT MESG 150\n\nERROR\nERRORS\nERROR service noop: a\n',
      ),
    );
    expect(reply.errors).toEqual(['[unknown option "x=2"]', '', 'service noop: a']);
    expect(reply.connect).toEqual([{ name: 'MESG', handle: 150 }]);
    expect(reply.lines).toEqual(['', 'ERRORS']);
  });

  test('reads an empty reply as one that says nothing', () => {
    expect(parseReply(bytes(''))).toEqual({
      connect: [],
      options: undefined,
      errors: [],
      lines: [],
      text: '',
    });
  });

  test('takes the first of two OPTIONS lines, and lines without their newline', () => {
    const reply = parseReply(bytes('OPTIONS hostname=a;\nOPTIONS hostname=b;'));
    expect(reply.options?.hostname).toBe('a');
    expect(reply.lines).toEqual(['OPTIONS hostname=b;']);
  });

  test.each([
    'CONNECT DATA',
    'CONNECT DATA 1 MESG',
    'CONNECT DATA x',
    'CONNECT DATA 1x',
    'CONNECT DATA 0',
    'CONNECT DATA -2',
    'CONNECT DATA 2147483648',
    'CONNECT DATA 99999999999999999999',
    'CONNECT DATA 1 DATA 2',
    'CONNECT DATA 1 MESG 1',
    'CONNECT __proto__ 1',
    'CONNECT 5 5',
    'CONNECT DATA 1\nCONNECT MESG 2',
    `OPTIONS ${'a'.repeat(65_536)}`,
    `CONNECT${Array.from({ length: 65 }, (_, index) => ` S${index} ${index + 1}`).join('')}`,
  ])('refuses %j', (text) => {
    expect(() => parseReply(bytes(`${text}\n`))).toThrow(
      expect.objectContaining({ code: 'BAD_REPLY' }),
    );
  });

  test('takes the largest handle, and none at all', () => {
    expect(parseReply(bytes('CONNECT DATA 2147483647\n')).connect).toEqual([
      { name: 'DATA', handle: 2147483647 },
    ]);
    expect(parseReply(bytes('CONNECT\n')).connect).toEqual([]);
  });

  test('takes blanks between the words of CONNECT as one, and 64 streams', () => {
    expect(parseReply(bytes('CONNECT  DATA   1 \n')).connect).toEqual([
      { name: 'DATA', handle: 1 },
    ]);
    const names = Array.from({ length: 64 }, (_, index) => ` S${index} ${index + 1}`);
    expect(parseReply(bytes(`CONNECT${names.join('')}\n`)).connect).toHaveLength(64);
  });

  test('keeps empty lines, but not the end of the last line', () => {
    expect(parseReply(bytes('\n')).lines).toEqual(['']);
    expect(parseReply(bytes('a\n\n')).lines).toEqual(['a', '']);
  });

  test('throws nothing but BAD_REPLY, whatever comes', () => {
    const front = fc.constantFrom(
      '',
      'CONNECT ',
      'CONNECT DATA ',
      'OPTIONS ',
      'ERROR ',
      'a\nCONNECT ',
    );
    fc.assert(
      fc.property(front, fc.uint8Array(), (start, rest) => {
        try {
          parseReply(new Uint8Array([...bytes(start), ...rest]));
        } catch (error) {
          expect(isAmandaError(error, 'BAD_REPLY')).toBe(true);
        }
      }),
    );
  });
});

describe('formatConnect', () => {
  test('writes -1 for a stream that is not there', () => {
    const line = formatConnect([
      { name: 'DATA', handle: 499999 },
      { name: 'INDEX', handle: undefined },
    ]);
    expect(line).toBe('CONNECT DATA 499999 INDEX -1\n');
  });

  test.each([
    [{ name: 'DA TA', handle: 1 }],
    [{ name: 'DATA\n', handle: 1 }],
    [{ name: 'DATA', handle: 0 }],
    [{ name: 'DATA', handle: -1 }],
    [{ name: 'DATA', handle: 1.5 }],
    [{ name: 'DATA', handle: 2 ** 31 }],
  ])('refuses %j', (stream) => {
    expect(() => formatConnect([stream])).toThrow(
      expect.objectContaining({
        code: 'BAD_ARGUMENT',
        cause: expect.objectContaining({ code: 'BAD_REPLY' }) as unknown,
      }),
    );
  });

  test('reads back as it was written', () => {
    const streams = fc.uniqueArray(
      fc.record({
        name: fc.stringMatching(/^[A-Z]{1,8}$/),
        handle: fc.option(fc.integer({ min: 1, max: 0x7fff_ffff }), { nil: undefined }),
      }),
      {
        maxLength: 8,
        selector: ({ name }) => name,
      },
    );
    fc.assert(
      fc.property(streams, (list) => {
        fc.pre(new Set(list.map(({ handle }) => handle ?? {})).size === list.length);
        expect(parseReply(bytes(formatConnect(list))).connect).toEqual(list);
      }),
    );
  });
});

describe('splitConnect', () => {
  test('gives the numbers of the first line and the bytes after it', () => {
    const split = splitConnect(
      new Uint8Array([...bytes('CONNECT DATA 150 MESG 151 INDEX -1\n'), 0xff, 0x0a]),
    );
    expect(split?.connect).toEqual([
      { name: 'DATA', number: 150 },
      { name: 'MESG', number: 151 },
      { name: 'INDEX', number: -1 },
    ]);
    expect([...(split?.rest ?? [])]).toEqual([0xff, 0x0a]);
  });

  test('takes blanks between words as one, and text for the number 0', () => {
    expect(splitConnect(bytes('CONNECT  MESG   x \n'))?.connect).toEqual([
      { name: 'MESG', number: 0 },
    ]);
    expect(splitConnect(bytes('CONNECT A x1 B 1x C +3\n'))?.connect).toEqual([
      { name: 'A', number: 0 },
      { name: 'B', number: 1 },
      { name: 'C', number: 3 },
    ]);
    expect(splitConnect(bytes('CONNECT MESG 150'))).toEqual({
      connect: [{ name: 'MESG', number: 150 }],
      rest: new Uint8Array(0),
    });
  });

  test('takes a line of 8,192 bytes', () => {
    expect(splitConnect(bytes(`${'CONNECT MESG 1'.padEnd(8192)}\n`))).toBeDefined();
    expect(splitConnect(bytes(`${'CONNECT MESG 1'.padEnd(8193)}\n`))).toBeUndefined();
  });

  test.each([
    '',
    'ERROR x\nCONNECT MESG 150\n\n',
    'CONNECT\n',
    'CONNECT MESG\n\n',
    'CONNECTED MESG 150\n',
    ' CONNECT MESG 150\n',
    `CONNECT MESG 150${' '.repeat(9000)}\n`,
  ])('leaves %j alone', (text) => {
    expect(splitConnect(bytes(text))).toBeUndefined();
  });

  test('never throws', () => {
    fc.assert(
      fc.property(
        fc.uint8Array(),
        (rest) => void splitConnect(new Uint8Array([...bytes('CONNECT '), ...rest])),
      ),
    );
  });
});

describe('refusal', () => {
  test('is the text after ERROR, without the newline', () => {
    expect(refusal(bytes('ERROR invalid REQ\n'))).toBe('invalid REQ');
    expect(refusal(bytes("ne.lab doesn't resolve to itself, it resolves to two.lab"))).toBe(
      "ne.lab doesn't resolve to itself, it resolves to two.lab",
    );
    expect(refusal(bytes(''))).toBe('');
    expect(refusal(bytes('no ERROR a\nb\n\n'))).toBe('no ERROR a\nb\n');
  });
});
