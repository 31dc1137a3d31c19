import { describe, expect, it } from 'vitest';
import { readSegment } from '../../src/capture/tcp-segment.js';
import { ethernet, flags, ipv4, tcp } from './packets.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const read = (link: number, bytes: Uint8Array) => readSegment({ number: 1, at: 7, link, bytes });

const segment = tcp({
  sequence: 0x01020304,
  acknowledged: 0xfffefdfc,
  flags: flags.psh | flags.ack,
  payload: 'hello',
});
const packet = ipv4(segment);
const expected = {
  at: 7,
  source: { address: '127.0.0.1', port: 700 },
  destination: { address: '127.0.0.2', port: 10080 },
  sequence: 0x01020304,
  acknowledged: 0xfffefdfc,
  flags: 24,
  payload: Buffer.from('hello'),
  missing: 0,
};

/** From 2001:db8::1 to ::ffff:192.0.2.7, with such headers between. */
function ipv6(
  next: number,
  between: Uint8Array,
  inner: Uint8Array = segment,
  length = between.length + inner.length,
): Buffer {
  const header = Buffer.concat([
    hex('60000000 0000 00 40 20010db8000000000000000000000001 00000000000000000000ffffc0000207'),
  ]);
  header.writeUInt16BE(length, 4);
  header[6] = next;
  return Buffer.concat([header, between, inner]);
}

describe('a TCP segment', () => {
  it.each([
    ['Ethernet', 1, ethernet(packet)],
    [
      'Ethernet with padding after the packet',
      1,
      Buffer.concat([ethernet(packet), Buffer.alloc(9)]),
    ],
    [
      'Ethernet with a VLAN tag',
      1,
      Buffer.concat([Buffer.alloc(12), hex('8100 0123 0800'), packet]),
    ],
    [
      'Ethernet with two VLAN tags',
      1,
      Buffer.concat([Buffer.alloc(12), hex('88a8 0001 8100 0123 0800'), packet]),
    ],
    ['Linux cooked', 113, Buffer.concat([hex('0000 0304 0006 000000000000 0000 0800'), packet])],
    [
      'Linux cooked, version 2',
      276,
      Buffer.concat([hex('0800 0000 00000001 0304 00 06 0000000000000000'), packet]),
    ],
    ['BSD loopback, little-endian', 0, Buffer.concat([hex('02000000'), packet])],
    ['BSD loopback, big-endian', 0, Buffer.concat([hex('00000002'), packet])],
    ['OpenBSD loopback', 108, Buffer.concat([hex('00000002'), packet])],
    ['raw IP', 101, packet],
    ['raw IPv4', 228, packet],
  ] as const)('is found in %s', (_, link, bytes) => {
    const found = read(link, bytes);
    expect(found).toEqual({ ...expected, payload: expect.any(Uint8Array) as unknown });
    expect(typeof found === 'object' && Buffer.from(found.payload).toString()).toBe('hello');
  });

  it.each([
    ['nothing between', ipv6(6, hex(''))],
    [
      'hop-by-hop options, routing and destination options',
      ipv6(0, hex('2b00000000000000 3c01000000000000 0000000000000000 0600000000000000')),
    ],
    [
      'an authentication header',
      ipv6(51, hex('0604000000000000 0000000000000000 0000000000000000')),
    ],
    ['the header of a fragment that is the whole', ipv6(44, hex('0600000000000001'))],
    ['a length that is left out', ipv6(6, hex(''), segment, 0)],
  ] as const)('is found in IPv6 with %s', (_, bytes) => {
    expect(read(229, bytes)).toMatchObject({
      source: { address: '2001:db8::1', port: 700 },
      destination: { address: '::ffff:192.0.2.7' },
      sequence: 0x01020304,
    });
  });

  it.each([
    ['20010db8000000000000000000000001', '2001:db8::1'],
    ['00000000000000000000000000000001', '::1'],
    ['00000000000000000000000000000000', '::'],
    ['fe800000000000000202b3fffe1e8329', 'fe80::202:b3ff:fe1e:8329'],
    ['20010000000000010000000000000000', '2001:0:0:1::'],
    ['20010db8000100010001000100010001', '2001:db8:1:1:1:1:1:1'],
    ['00100000000000100000000000100000', '10::10:0:0:10:0'],
  ])('has its address %s written as %s', (bytes, text) => {
    const packetBytes = ipv6(6, hex(''));
    hex(bytes).copy(packetBytes, 8);
    expect(read(101, packetBytes)).toMatchObject({ source: { address: text } });
  });

  it('says how much of it was not kept', () => {
    expect(read(1, ethernet(packet).subarray(0, -2))).toMatchObject({ missing: 2 });
    expect(read(229, ipv6(6, hex('')).subarray(0, -3))).toMatchObject({ missing: 3 });
  });

  it('may be longer than IP can say, which then says 0', () => {
    const long = Buffer.from(packet);
    long.writeUInt16BE(0, 2);
    expect(read(101, long)).toMatchObject({ missing: 0, sequence: 0x01020304 });
  });

  it('cannot be used in a fragment, an unknown link, or when its header is cut', () => {
    const fragment = Buffer.from(packet);
    fragment.writeUInt16BE(0x2000, 6);
    expect(read(101, fragment)).toBe('fragment');
    expect(read(229, ipv6(44, hex('0600000100000001')))).toBe('fragment');
    expect(read(147, packet)).toBe('unknown link type');
    expect(read(101, packet.subarray(0, 39))).toBe('cut inside its headers');
  });

  it('is not found in what carries something else, or nothing that makes sense', () => {
    const others = [
      ipv4(segment, 'initiator', 17),
      hex(''),
      hex('45'),
      hex('60'),
      hex('ff'.repeat(60)),
      Buffer.concat([hex('44'), packet.subarray(1)]),
    ];
    expect(others.map((bytes) => read(101, bytes))).toEqual(others.map(() => undefined));
    expect(read(1, ethernet(packet, 0x0806))).toBeUndefined();
    expect(read(0, Buffer.concat([hex('07000000'), packet]))).toBeUndefined();
    const noHeader = Buffer.from(packet);
    noHeader[32] = 4 << 4;
    expect(read(101, noHeader)).toBeUndefined();
  });
});
