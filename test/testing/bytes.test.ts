import { describe, expect, test } from 'vitest';
import {
  frameBytes,
  hex,
  joinBytes,
  packetBytes,
  packetPayload,
  textBytes,
  withHeader,
} from '../../src/testing/index.js';

const shown = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('byte builders', () => {
  test('hexadecimal digits may have blanks between them', () => {
    expect([...hex('00 0a\n ff')]).toEqual([0, 10, 255]);
    expect([...hex('')]).toEqual([]);
  });

  test('anything but pairs of hexadecimal digits is an error of the test', () => {
    expect(() => hex('0')).toThrow('not hexadecimal');
    expect(() => hex('0g')).toThrow('not hexadecimal');
  });

  test('a text is UTF-8', () => {
    expect(shown(textBytes('aü'))).toBe('61c3bc');
  });

  test('a frame is its length, its handle and its payload', () => {
    expect(shown(frameBytes('1:abc'))).toBe('0000000300000001616263');
    expect(shown(frameBytes('499999:a:b'))).toBe('000000030007a11f613a62');
    expect(shown(withHeader(0xffff_ffff, hex('00ff')))).toBe('00000002ffffffff00ff');
  });

  test('a frame without payload is a close, and frames follow each other', () => {
    expect(shown(frameBytes('1:a', '1:'))).toBe('000000010000000161' + '0000000000000001');
  });

  test('a frame without a handle is an error of the test', () => {
    expect(() => frameBytes('abc')).toThrow('handle, colon and payload');
  });

  test.each([
    ['REQ', '00780a00'],
    ['REP', '01780a00'],
    ['PREP', '02780a00'],
    ['ACK', '03780a00'],
    ['NAK', '04780a00'],
  ] as const)('a %s is its type byte, its body and a NUL', (type, payload) => {
    expect(shown(packetPayload(type, 'x\n'))).toBe(payload);
  });

  test('an ACK on handle 2 is ten bytes', () => {
    expect(shown(packetBytes(2, 'ACK'))).toBe('00000002000000020300');
  });

  test('pieces are joined in order', () => {
    expect(shown(joinBytes(hex('01'), hex(''), hex('0203')))).toBe('010203');
  });
});
