import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAmandaError } from '../../src/wire/errors.js';
import { Features } from '../../src/wire/features.js';
import { Options, formatOptions, parseOptions } from '../../src/wire/options.js';

// The planner's line in capture amdump.1.
const planner =
  'OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;maxdumps=2;hostname=localhost;config=lab-cap;timestamp=20261123195507;\n';

describe('an OPTIONS line', () => {
  test('says what it says by name', () => {
    const options = parseOptions(planner);
    expect(options.features?.toString()).toBe('ffffffff9efefbfffffffffffffff3fffbf71f');
    expect(options.maxdumps).toBe(2);
    expect(options.hostname).toBe('localhost');
    expect(options.config).toBe('lab-cap');
    expect(options.timestamp).toBe('20261123195507');
    expect(options.auth).toBeUndefined();
    expect(options.other.size).toBe(0);
    expect(parseOptions('OPTIONS auth=ssh;maxdumps=12;').other.size).toBe(0);
    expect(parseOptions('OPTIONS maxdumps=12;').maxdumps).toBe(12);
  });

  test('without entries says nothing', () => {
    const options = new Options();
    expect(options.toString()).toBe('OPTIONS \n');
    expect(options.features).toBeUndefined();
    expect(options.maxdumps).toBeUndefined();
  });

  test('may have a value without a name, and no entry without both', () => {
    const options = parseOptions('OPTIONS =x;');
    expect(options.entries).toEqual([{ name: '', value: 'x' }]);
    expect(options.toString()).toBe('OPTIONS =x;\n');
    expect(() => new Options([{ name: '', value: undefined }]).toString()).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    );
  });

  test('is written as the planner writes it', () => {
    const fields = {
      features: Features.amanda351,
      maxdumps: 2,
      hostname: 'localhost',
      config: 'lab-cap',
      timestamp: '20261123195507',
    };
    expect(formatOptions(fields)).toBe(planner);
    expect(formatOptions({ features: Features.amanda351, auth: 'bsdtcp' })).toBe(
      'OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;auth=bsdtcp;\n',
    );
    expect(formatOptions({ other: [['data-shm-control-name', '/amanda_shm_control-7-0']] })).toBe(
      'OPTIONS data-shm-control-name=/amanda_shm_control-7-0;\n',
    );
    expect(formatOptions({ maxdumps: 1 })).toBe('OPTIONS maxdumps=1;\n');
    expect(formatOptions({})).toBe('OPTIONS \n');
  });

  test('keeps what it does not know, in order, and gives back the same line', () => {
    const line = 'OPTIONS x=2;hostname=a;bare;data-shm-control-name=/s=1;\n';
    const options = parseOptions(line);
    expect([...options.other]).toEqual([
      ['x', '2'],
      ['bare', ''],
      ['data-shm-control-name', '/s=1'],
    ]);
    expect(options.toString()).toBe(line);
  });

  test('may lack its newline and its last semicolon, and may have empty entries', () => {
    expect(parseOptions('OPTIONS features=ff;;auth=ssh').auth).toBe('ssh');
    expect(parseOptions('OPTIONS').entries).toEqual([]);
    expect(parseOptions('OPTIONS \n').entries).toEqual([]);
  });

  test('that says a thing twice means the last one', () => {
    expect(parseOptions('OPTIONS hostname=a;hostname=b;').hostname).toBe('b');
  });

  test('with bad features can be read for the rest', () => {
    const options = parseOptions('OPTIONS features=zz;hostname=a;');
    expect(options.hostname).toBe('a');
    expect(() => options.features).toThrow(expect.objectContaining({ code: 'BAD_FEATURES' }));
  });

  test.each(['0', '-1', 'many', '1.5', ''])('has no maxdumps when it is "%s"', (text) => {
    expect(parseOptions(`OPTIONS maxdumps=${text};`).maxdumps).toBeUndefined();
  });

  test('can be had with another value, in its place', () => {
    const options = parseOptions('OPTIONS features=ff;hostname=a;features=fe;');
    expect(options.with('features', '0f').toString()).toBe('OPTIONS features=0f;hostname=a;\n');
    expect(options.with('auth', 'ssh').toString()).toBe(
      'OPTIONS features=ff;hostname=a;features=fe;auth=ssh;\n',
    );
  });

  test.each([
    '',
    'OPTION a=b;',
    'OPTIONSa=b;',
    'options a=b;',
    'OPTIONS a=b;\nx',
    `OPTIONS ${'a'.repeat(65_536)}`,
  ])('is not read from %j', (line) => {
    expect(() => parseOptions(line)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });

  test.each([
    { hostname: 'a;auth=local' },
    { hostname: 'a\nSERVICE x' },
    { config: 'a\0' },
    { other: [['a=b', 'c'] as const] },
    { other: [['a;', 'c'] as const] },
    { maxdumps: 0 },
    { maxdumps: 1.5 },
  ])('is not written with %j', (fields) => {
    expect(() => formatOptions(fields)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }));
  });

  test('reads back as it was written', () => {
    const value = fc.string({ unit: 'binary' }).filter((text) => !/[;\n\0]/.test(text));
    fc.assert(
      fc.property(
        value,
        value,
        fc.array(fc.tuple(fc.stringMatching(/^[a-z-]{1,10}$/), value)),
        (hostname, config, other) => {
          const options = parseOptions(formatOptions({ hostname, config, maxdumps: 7 }));
          expect([options.hostname, options.config, options.maxdumps]).toEqual([
            hostname,
            config,
            7,
          ]);
          expect(parseOptions(formatOptions({ other })).entries).toEqual(
            other.map(([name, text]) => ({ name, value: text })),
          );
        },
      ),
    );
  });

  test('is read from any text or refused by an AmandaError', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          expect(parseOptions(`OPTIONS ${text}`).other.size).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(isAmandaError(error, 'BAD_REQUEST')).toBe(true);
        }
      }),
    );
  });
});
