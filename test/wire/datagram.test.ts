import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeDatagram, encodeDatagram, MAX_DATAGRAM } from '../../src/wire/datagram.js';
import { isAmandaError } from '../../src/wire/errors.js';
import { packet } from '../../src/wire/packet.js';

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

// The first REQ of capture bsd-amdump.
const req =
  'Amanda 3.5 REQ HANDLE 000-00000000 SEQ 1796101004\nSECURITY USER backup\nSERVICE noop\nOPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\n';
const body =
  'SECURITY USER backup\nSERVICE noop\nOPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\n';

describe('a datagram', () => {
  test('is written as Amanda writes it', () => {
    const datagram = encodeDatagram({
      handle: '000-00000000',
      sequence: 1796101004,
      packet: packet('REQ', body),
    });
    expect(Buffer.from(datagram).toString()).toBe(req);
  });

  test('is read to its handle, sequence number and packet', () => {
    expect(decodeDatagram(bytes(req))).toEqual({
      handle: '000-00000000',
      sequence: 1796101004,
      packet: packet('REQ', body),
    });
    expect(
      decodeDatagram(bytes('Amanda 3.5 ACK HANDLE 000-00000000 SEQ 1796101004\n')).packet,
    ).toEqual(packet('ACK'));
  });

  test('may be of any version and have any word for a handle', () => {
    expect(decodeDatagram(bytes('Amanda 2.4 NAK HANDLE x%s! SEQ -5\nERROR a\n'))).toEqual({
      handle: 'x%s!',
      sequence: -5,
      packet: packet('NAK', 'ERROR a\n'),
    });
  });

  test('may have several blanks between its words, and before them', () => {
    expect(
      decodeDatagram(bytes('  Amanda  3.5.1-x   ACK  HANDLE   a   SEQ   -2147483648\n')),
    ).toEqual({ handle: 'a', sequence: -2_147_483_648, packet: packet('ACK') });
    expect(decodeDatagram(bytes('Amanda 12. ACK HANDLE a SEQ 1\n')).sequence).toBe(1);
  });

  test('ends at a NUL', () => {
    expect(decodeDatagram(bytes('Amanda 3.5 REP HANDLE a SEQ 1\nx\n\0')).packet).toEqual(
      packet('REP', 'x\n'),
    );
    expect(decodeDatagram(bytes('Amanda 3.5 REP HANDLE a SEQ 1\nx\n\0junk')).packet).toEqual(
      packet('REP', 'x\n'),
    );
  });

  test('keeps every byte of the body', () => {
    const datagram = new Uint8Array([
      ...bytes('Amanda 3.5 REP HANDLE a SEQ 1\n'),
      0x0a,
      0xff,
      0xc3,
      0x0a,
    ]);
    expect([...decodeDatagram(datagram).packet.body]).toEqual([0x0a, 0xff, 0xc3, 0x0a]);
  });

  test.each([
    '',
    'GET / HTTP/1.0\n',
    'Amanda 3 REQ HANDLE a SEQ 1\n',
    'Amanda 3.5 BOGUS HANDLE a SEQ 1\n',
    'Amanda 3.5 toString HANDLE a SEQ 1\n',
    'Amanda 3.5 REQ HANDLE  SEQ 1\n',
    'Amanda 3.5 REQ HANDLE a SEQ\n',
    'Amanda 3.5 REQ HANDLE a SEQ x\n',
    'Amanda 3.5 REQ HANDLE a SEQ 4294967296\n',
    'Amanda 3.5 REQ HANDLE a SEQ 1 \n',
    'x Amanda 3.5 REQ HANDLE a SEQ 1\n',
    'Amanda 3.5 REQ HANDLE a SEQ 1',
    'Amanda 3.5 REQ HANDLE a\0 SEQ 1\n',
    `Amanda 3.5 REQ HANDLE ${'a'.repeat(129)} SEQ 1\n`,
    `Amanda 3.5${' '.repeat(600)}REQ HANDLE a SEQ 1\n`,
  ])('is not read from %j', (text) => {
    expect(() => decodeDatagram(bytes(text))).toThrow(
      expect.objectContaining({ code: 'BAD_PACKET' }),
    );
  });

  test('has 65,503 bytes at the most, in both directions', () => {
    const head = 'Amanda 3.5 REP HANDLE a SEQ 1\n';
    const room = MAX_DATAGRAM - head.length;
    expect(MAX_DATAGRAM).toBe(65_503);
    expect(
      encodeDatagram({ handle: 'a', sequence: 1, packet: packet('REP', 'x'.repeat(room)) }),
    ).toHaveLength(65_503);
    expect(() =>
      encodeDatagram({ handle: 'a', sequence: 1, packet: packet('REP', 'x'.repeat(room + 1)) }),
    ).toThrow(expect.objectContaining({ code: 'DATAGRAM_TOO_LARGE' }));
    expect(decodeDatagram(bytes(`${head}${'x'.repeat(room)}\0`)).packet.body).toHaveLength(room);
    expect(() => decodeDatagram(bytes(`${head}${'x'.repeat(room + 1)}`))).toThrow(
      expect.objectContaining({ code: 'DATAGRAM_TOO_LARGE' }),
    );
  });

  test('is not written when it could not be read', () => {
    const ack = packet('ACK');
    expect(() => encodeDatagram({ handle: 'a b', sequence: 1, packet: ack })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    );
    expect(() => encodeDatagram({ handle: '', sequence: 1, packet: ack })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    );
    expect(() => encodeDatagram({ handle: 'a', sequence: 2 ** 31, packet: ack })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    );
    expect(() =>
      encodeDatagram({ handle: 'a', sequence: 1, packet: { type: 'BOGUS', body: ack.body } }),
    ).toThrow(
      expect.objectContaining({
        code: 'BAD_PACKET',
        message: 'A packet of type BOGUS cannot be sent: it has no name.',
      }),
    );
    expect(() =>
      encodeDatagram({ handle: 'a', sequence: 1, packet: packet('REP', 'a\0b') }),
    ).toThrow(expect.objectContaining({ code: 'BAD_PACKET' }));
  });

  test('reads back as it was written', () => {
    const type = fc.constantFrom('REQ', 'REP', 'PREP', 'ACK', 'NAK');
    const content = fc.uint8Array().map((all) => all.filter((byte) => byte !== 0));
    fc.assert(
      fc.property(
        type,
        fc.stringMatching(/^[!-~]{1,128}$/),
        fc.integer(),
        content,
        (kind, handle, sequence, part) => {
          const datagram = { handle, sequence, packet: { type: kind, body: part } } as const;
          expect(decodeDatagram(encodeDatagram(datagram))).toEqual(datagram);
        },
      ),
    );
  });

  test('is read from any bytes or refused by an AmandaError', () => {
    const front = fc.constantFrom(
      '',
      'Amanda ',
      'Amanda 3.5 REQ HANDLE ',
      'Amanda 3.5 REQ HANDLE a SEQ ',
      'Amanda 3.5 REQ HANDLE a SEQ 1\n',
    );
    fc.assert(
      fc.property(front, fc.uint8Array(), (start, rest) => {
        try {
          decodeDatagram(new Uint8Array([...bytes(start), ...rest]));
        } catch (error) {
          expect(isAmandaError(error, 'BAD_PACKET')).toBe(true);
        }
      }),
    );
  });
});
