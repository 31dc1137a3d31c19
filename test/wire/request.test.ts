import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAmandaError } from '../../src/wire/errors.js';
import {
  encodeRequest,
  parseRequest,
  parseSecurity,
  parseService,
} from '../../src/wire/request.js';

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const text = (body: Uint8Array) => Buffer.from(body).toString();
const options = 'OPTIONS features=ff;hostname=localhost;\n';

function refusalOf(body: string, namesUser: boolean): string {
  try {
    parseRequest(bytes(body), { namesUser });
  } catch (error) {
    if (isAmandaError(error, 'BAD_REQUEST')) return error.message;
    throw error;
  }
  return 'none';
}

describe('encodeRequest', () => {
  test('writes the SECURITY line, the SERVICE line and the arguments', () => {
    const body = encodeRequest({ user: 'backup', service: 'noop', arguments: options });
    expect(text(body)).toBe(
      'SECURITY USER backup\nSERVICE noop\nOPTIONS features=ff;hostname=localhost;\n',
    );
  });

  test('leaves the SECURITY line out for a driver without one', () => {
    expect(text(encodeRequest({ service: 'amindexd', arguments: bytes('x') }))).toBe(
      'SERVICE amindexd\nx',
    );
  });

  test.each(['', 'no op', 'noop\n', 'noop\0', '../noop', 'NOOP', 'a'.repeat(65)])(
    'refuses the service %j',
    (service) => {
      expect(() => encodeRequest({ service, arguments: options })).toThrow(
        expect.objectContaining({ code: 'BAD_ARGUMENT' }),
      );
    },
  );

  test.each(['', 'backup\nSERVICE x', 'a\0'])('refuses the user %j', (user) => {
    expect(() => encodeRequest({ user, service: 'noop', arguments: options })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    );
  });
});

describe('parseRequest', () => {
  test('finds user, service and arguments', () => {
    const request = parseRequest(bytes(`SECURITY USER backup\nSERVICE noop\n${options}`), {
      namesUser: true,
    });
    expect({ ...request, arguments: text(request.arguments) }).toEqual({
      user: 'backup',
      service: 'noop',
      arguments: options,
    });
  });

  test('finds service and arguments where there is no SECURITY line', () => {
    const request = parseRequest(bytes(`SERVICE noop\n${options}`), { namesUser: false });
    expect({ ...request, arguments: text(request.arguments) }).toEqual({
      user: undefined,
      service: 'noop',
      arguments: options,
    });
  });

  // Bodies and answers of capture edge-bad_reqs, and those that the same test of the lab shows
  // beyond it.
  test.each([
    ['', 'packet as no SERVICE line'],
    [`SERVICE noop\n${options}`, 'no bsd SECURITY for P_REQ'],
    ['SECURITY USER backup\n', 'packet as no SERVICE line'],
    [`SECURITY USER backup\nSERVICE\n${options}`, 'packet as no SERVICE line'],
    ['SECURITY USER backup\nSERVICE noop', 'invalid REQ'],
    ['SECURITY USER backup\nSERVICE noop\n', 'invalid REQ'],
    [`SECURITY USER backup\nservice noop\n${options}`, 'packet as no SERVICE line'],
    [`SECURITY USER\nSERVICE noop\n${options}`, 'SECURITY line: SECURITY USER'],
    [`SECURITY USER \nSERVICE noop\n${options}`, 'SECURITY line: SECURITY USER '],
    [`SECURITY \nSERVICE noop\n${options}`, 'SECURITY line: SECURITY '],
    [
      `SECURITY HOST x\nSERVICE noop\n${options}`,
      'REQ SECURITY line parse error, expecting USER, got HOST',
    ],
    ['SECURITY USER backup', 'packet as no SERVICE line'],
    [`SECURITY USER backup\n${options}`, 'packet as no SERVICE line'],
    [`SECURITY\nSERVICE noop\n${options}`, 'packet as no SERVICE line'],
  ])('refuses %j as amandad does', (body, message) => {
    expect(refusalOf(body, true)).toBe(message);
  });

  test.each([
    `SECURITY USER backup\nSERVICE noop\n${options}`,
    '',
    'SERVICE',
    'SERVICE noop',
    'SERVICE noop\n',
    'SERVICE \n',
    'SERVICES noop\nx',
  ])('refuses %j where no SECURITY line is due', (body) => {
    expect(refusalOf(body, false)).toBe('invalid REQ');
  });

  test.each([
    ['SERVICE  noop\nx', ' noop'],
    ['SERVICE noop OPTIONS x\n', 'noop OPTIONS x'],
    ['SERVICE noop\r\nx', 'noop\r'],
    ['SERVICE noop \n', 'noop '],
    ['SERVICE \nOPTIONS a=b;\n', 'OPTIONS a=b;'],
    ['SERVICE ../noop\nx', '../noop'],
  ])(
    'takes the whole rest of the line %j for the service, so that access to it is refused',
    (line, service) => {
      expect(
        parseRequest(bytes(`SECURITY USER backup\n${line}`), { namesUser: true }).service,
      ).toBe(service);
    },
  );

  test('keeps blanks that belong to the user', () => {
    expect(parseSecurity(bytes('SECURITY USER backup \nSERVICE noop\nx')).user).toBe('backup ');
    expect(parseSecurity(bytes('SECURITY USER SECURITY x\nSERVICE noop\nx')).user).toBe(
      'SECURITY x',
    );
    expect(parseSecurity(bytes('SECURITY   USER  backup\nSERVICE noop\nx')).user).toBe(' backup');
  });

  test('takes everything after the service as its arguments', () => {
    expect(text(parseService(bytes('SERVICE noop OPTIONS x\n')).arguments)).toBe('OPTIONS x\n');
    expect(text(parseService(bytes('SERVICE noop\n\nx')).arguments)).toBe('\nx');
    expect([
      ...parseService(new Uint8Array([...bytes('SERVICE a\n'), 0xff, 0x80])).arguments,
    ]).toEqual([0xff, 0x80]);
  });

  test('reads back what was written', () => {
    const user = fc
      .string({ unit: 'binary', minLength: 1 })
      .filter((name) => !/[\n\0]/.test(name) && !name.startsWith(' '));
    const service = fc.stringMatching(/^[a-z0-9_-]{1,64}$/);
    fc.assert(
      fc.property(
        fc.option(user, { nil: undefined }),
        service,
        fc.uint8Array({ minLength: 1 }),
        (name, wanted, rest) => {
          const body = encodeRequest({ user: name, service: wanted, arguments: rest });
          expect(parseRequest(body, { namesUser: name !== undefined })).toEqual({
            user: name,
            service: wanted,
            arguments: rest,
          });
        },
      ),
    );
  });

  test('throws nothing but BAD_REQUEST, whatever comes', () => {
    const front = fc.constantFrom(
      '',
      'SECURITY ',
      'SECURITY USER ',
      'SECURITY USER a\n',
      'SECURITY USER a\nSERVICE ',
      'SERVICE ',
    );
    fc.assert(
      fc.property(front, fc.uint8Array(), fc.boolean(), (start, rest, namesUser) => {
        try {
          parseRequest(new Uint8Array([...bytes(start), ...rest]), { namesUser });
        } catch (error) {
          expect(isAmandaError(error, 'BAD_REQUEST')).toBe(true);
        }
      }),
    );
  });
});
