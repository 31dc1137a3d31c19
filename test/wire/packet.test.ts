import { describe, expect, test } from 'vitest';
import { decodePacket, encodePacket, packet, packetText } from '../../src/wire/packet.js';

const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

describe('a packet', () => {
  test.each([
    [packet('REQ', 'a\n'), '00 610a 00'],
    [packet('REP', ''), '01 00'],
    [packet('PREP', 'ü'), '02 c3bc 00'],
    [packet('ACK'), '03 00'],
    [packet('NAK', 'ERROR x\n'), '04 4552524f5220780a 00'],
  ])('is its type byte, its body and a NUL: %j', (one, hex) => {
    expect(encodePacket(one)).toEqual(bytes(hex));
    expect(decodePacket(bytes(hex))).toEqual({ type: one.type, body: one.body });
  });

  test('may lack its NUL, and what follows the first NUL is ignored', () => {
    expect(packetText(decodePacket(bytes('01 6162')))).toBe('ab');
    expect(packetText(decodePacket(bytes('01 6162 00 63')))).toBe('ab');
    expect(packetText(decodePacket(bytes('03')))).toBe('');
  });

  test('of another type is BOGUS', () => {
    expect(decodePacket(bytes('09 78 00'))).toEqual({ type: 'BOGUS', body: bytes('78') });
    expect(decodePacket(bytes('ff')).type).toBe('BOGUS');
  });

  test('of type NUL, which is REQ, keeps the text after its first byte', () => {
    expect(packetText(decodePacket(bytes('00 78 00')))).toBe('x');
  });

  test('cannot be read from nothing', () => {
    expect(() => decodePacket(bytes(''))).toThrow(expect.objectContaining({ code: 'BAD_PACKET' }));
  });

  test('cannot be sent with a NUL inside, or as BOGUS', () => {
    expect(() => encodePacket(packet('REP', 'a\0b'))).toThrow(
      expect.objectContaining({ code: 'BAD_PACKET' }),
    );
    expect(() => encodePacket({ type: 'BOGUS', body: bytes('') })).toThrow(
      expect.objectContaining({
        code: 'BAD_PACKET',
        message: 'A packet of type BOGUS cannot be sent: it has no type byte.',
      }),
    );
  });
});
