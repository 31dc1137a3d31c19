import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { PcapWriter } from '../../src/capture/pcap-writer.js';
import { conversation } from '../support/captures.js';
import { describeUnless, missingPrograms } from '../support/skips.js';
import { connectionsOf, readCapture } from './readers.js';

const initiator = { address: '192.0.2.1', port: 1_023 };
const target = { address: '192.0.2.2', port: 10_080 };

/** A conversation in both directions, of odd and even lengths, with more than a segment takes. */
function written(
  addresses: readonly [string, string],
  big = new Uint8Array(200_001).fill(7),
): Buffer {
  const writer = new PcapWriter();
  const { c2s, s2c } = conversation('noop.1').bytes;
  return Buffer.concat([
    ...writer.begin(),
    ...writer.open(1_000, 1, {
      initiator: { ...initiator, address: addresses[0] },
      target: { ...target, address: addresses[1] },
    }),
    ...writer.bytes(1_001.5, 1, 'initiator', c2s),
    ...writer.bytes(1_002, 1, 'target', s2c),
    ...writer.bytes(1_003, 1, 'target', big),
    ...writer.bytes(1_003, 1, 'target', s2c.subarray(0, 3)),
    ...writer.end(1_004, 1, 'initiator'),
    ...writer.end(1_005, 1, 'target'),
  ]);
}

describe('a pcap file that is written', () => {
  it.each([
    [
      ['192.0.2.1', '192.0.2.2'],
      ['192.0.2.1', '192.0.2.2'],
    ],
    [
      ['2001:db8::1', 'fe80::1%eth0'],
      ['2001:db8::1', 'fe80::1'],
    ],
    [
      ['::ffff:10.0.0.1', '10.0.0.2'],
      ['10.0.0.1', '10.0.0.2'],
    ],
    [
      ['::1', '10.0.0.2'],
      ['::1', '::ffff:10.0.0.2'],
    ],
    [
      ['pipe', '300.1.1.1'],
      ['127.0.0.1', '127.0.0.2'],
    ],
    [
      ['1:2:3:4:5:6:7', '::1::'],
      ['127.0.0.1', '127.0.0.2'],
    ],
  ] as const)('is read with the same bytes, from %j', (addresses, shown) => {
    const { packets, error } = readCapture(written(addresses));
    expect(error).toBeUndefined();
    const { c2s, s2c } = conversation('noop.1').bytes;
    const [told, ...others] = connectionsOf(packets);
    expect(others).toEqual([]);
    expect(told).toMatchObject({
      initiator: `${shown[0]}:1023`,
      target: `${shown[1]}:10080`,
      isWhole: true,
    });
    expect(told?.said).toEqual(['open', 'end initiator', 'end target', 'over']);
    expect(told?.bytes.initiator.equals(c2s)).toBe(true);
    expect(
      told?.bytes.target.equals(
        Buffer.concat([s2c, new Uint8Array(200_001).fill(7), s2c.subarray(0, 3)]),
      ),
    ).toBe(true);
    expect(packets.map(({ at }) => at)).toEqual([
      1_000,
      1_000,
      1_000,
      1_001.5,
      1_002,
      ...[1, 2, 3, 4, 5].map(() => 1_003),
      1_004,
      1_005,
      1_005,
    ]);
  });

  it('tells connections apart that come from the same port one after the other, by their first numbers', () => {
    const writer = new PcapWriter();
    const parts = [1, 2, 3].flatMap((number) => [
      ...writer.open(number, number, { initiator, target }),
      ...writer.bytes(number, number, 'initiator', new Uint8Array(number)),
      ...writer.end(number, number, 'initiator'),
      ...writer.end(number, number, 'target'),
    ]);
    const { packets } = readCapture(Buffer.concat([...writer.begin(), ...parts]));
    const told = connectionsOf(packets);
    expect(told.map(({ bytes }) => bytes.initiator.length)).toEqual([1, 2, 3]);
    // Ethernet, IPv4, and then four bytes into TCP.
    const sequences = packets
      .filter((_, index) => index % 7 === 0)
      .map(({ bytes }) => Buffer.from(bytes).readUInt32BE(14 + 20 + 4));
    expect(sequences).toEqual([1_000, 1_000 + 0x9e37_79b1, (1_000 + 2 * 0x9e37_79b1) % 2 ** 32]);
  });

  it('is, packet for packet, these bytes', () => {
    const writer = new PcapWriter();
    const parts = [
      ...writer.begin(),
      ...writer.open(1_500, 7, { initiator, target }),
      ...writer.bytes(2_250, 7, 'initiator', Buffer.from('abc')),
      ...writer.reset(2_250, 7, 'target'),
    ];
    const bytes = Buffer.concat(parts).toString('hex');
    const tcp = (from: string, numbers: string, flagsAndSum: string): string =>
      `${from === 'i' ? '03ff2760' : '276003ff'}${numbers}${flagsAndSum}0000`;
    const ip = (length: string, sum: string, from: string): string =>
      `4500${length}000040004006${sum}${from === 'i' ? 'c0000201c0000202' : 'c0000202c0000201'}`;
    const record = (time: string, length: string): string =>
      `${time}000000${length}000000${length}${'00'.repeat(12)}0800`;
    expect(bytes).toBe(
      [
        'a1b2c3d40002000400000000000000000004000000000001',
        record('000000010007a120', '36'),
        ip('0028', 'b6cc', 'i') + tcp('i', '000003e800000000', '5002fffffc97'),
        record('000000010007a120', '36'),
        ip('0028', 'b6cc', 't') + tcp('t', '000007d0000003e9', '5012fffff4b6'),
        record('000000010007a120', '36'),
        ip('0028', 'b6cc', 'i') + tcp('i', '000003e9000007d1', '5010fffff4b7'),
        record('000000020003d090', '39'),
        ip('002b', 'b6c9', 'i') + tcp('i', '000003e9000007d1', '5018ffff304a') + '616263',
        record('000000020003d090', '36'),
        ip('0028', 'b6cc', 't') + tcp('t', '000007d1000003ec', '5014fffff4b0'),
      ].join(''),
    );
  });

  it('refers to the bytes that were sent, and does not copy them', () => {
    const writer = new PcapWriter();
    writer.open(0, 1, { initiator, target });
    const bytes = new Uint8Array(100_000);
    expect(
      writer
        .bytes(0, 1, 'initiator', bytes)
        .filter(({ buffer }) => buffer === bytes.buffer)
        .map(({ length }) => length),
    ).toEqual([65_160, 34_840]);
  });

  it('has no connection that was not opened, is over, or is open already', () => {
    const writer = new PcapWriter();
    writer.open(0, 1, { initiator, target });
    expect(() => writer.open(0, 1, { initiator, target })).toThrow('Connection 1 is open already.');
    expect(writer.end(0, 1, 'target').length + writer.end(0, 1, 'target').length).toBe(1);
    writer.end(0, 1, 'initiator');
    expect(writer.has(1)).toBe(false);
    expect(() => writer.bytes(0, 1, 'initiator', new Uint8Array(1))).toThrow(
      'Connection 1 is not open.',
    );
  });
});

describeUnless(missingPrograms('/usr/bin/tcpdump'), 'the real tcpdump', () => {
  it.each([[['192.0.2.1', '192.0.2.2']], [['2001:db8::1', '2001:db8::2']]] as const)(
    'finds nothing wrong in a file of %j',
    (addresses) => {
      const { stdout, stderr, status } = spawnSync(
        '/usr/bin/tcpdump',
        ['-r', '-', '-n', '-vvv', '-e'],
        { input: written(addresses), encoding: 'utf8' },
      );
      expect([status, stderr]).toEqual([
        0,
        expect.stringMatching(
          /^reading from file -, link-type EN10MB \(Ethernet\), snapshot length 262144\n$/,
        ),
      ]);
      expect(stdout.match(/Flags \[[^\]]*\], cksum 0x[0-9a-f]{4} \(correct\)/g)).toHaveLength(13);
      expect(stdout).not.toMatch(/bad|incorrect|wrong|truncated|invalid/);
      expect(stdout).toMatch(
        /Flags \[S\].*seq 1000[\s\S]*Flags \[S\.\].*seq 2000, ack 1001[\s\S]*Flags \[F\.\]/,
      );
    },
  );
});
