import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AmandaCapture } from '../../src/capture/amanda-capture.js';
import { readSegment } from '../../src/capture/tcp-segment.js';
import { capturesDirectory, conversation, conversationNames } from '../support/captures.js';
import { readPcap } from '../support/pcap.js';
import { onEthernet, pcap, segmentsOf, type Ports, type Segment } from './packets.js';
import { connectionsOf, readCapture } from './readers.js';

/** A capture of these connections, a packet of each in turn, one a millisecond. */
function capture(
  connections: readonly { readonly segments: readonly Segment[]; readonly ports: Ports }[],
): Uint8Array {
  const most = Math.max(...connections.map(({ segments }) => segments.length));
  const packets = Array.from({ length: most }, (_, index) =>
    connections.flatMap(({ segments, ports }) => {
      const segment = segments[index];
      return segment === undefined ? [] : [onEthernet(segment, ports)];
    }),
  ).flat();
  return pcap(packets.map((bytes, at) => ({ at, bytes })));
}

describe('a capture', () => {
  it.each(conversationNames())('of %s has the bytes that both sides sent', (name) => {
    const { bytes } = conversation(name);
    const { packets, error } = readCapture(
      capture([{ segments: segmentsOf(bytes), ports: { initiator: 1_023, target: 10_080 } }]),
    );
    expect(error).toBeUndefined();
    const [told, ...others] = connectionsOf(packets);
    expect(others).toEqual([]);
    expect(told?.bytes.initiator.equals(bytes.c2s)).toBe(true);
    expect(told?.bytes.target.equals(bytes.s2c)).toBe(true);
  });

  it('of many connections at once tells them apart', () => {
    const names = conversationNames().slice(0, 40);
    const file = capture(
      names.map((name, index) => ({
        segments: segmentsOf(conversation(name).bytes, { most: 77 }),
        ports: { initiator: 600 + index, target: 10_080 },
      })),
    );
    const told = connectionsOf(readCapture(file).packets);
    expect(told.map(({ initiator }) => initiator)).toEqual(
      names.map((_, index) => `127.0.0.1:${600 + index}`),
    );
    told.forEach(({ bytes }, index) => {
      const expected = conversation(names[index] ?? '').bytes;
      expect([bytes.initiator.equals(expected.c2s), bytes.target.equals(expected.s2c)]).toEqual([
        true,
        true,
      ]);
    });
  });

  const noop = segmentsOf(conversation('noop.1').bytes, { most: 4 });
  const web = segmentsOf(
    { c2s: Buffer.from('GET / HTTP/1.1\r\n\r\n'), s2c: Buffer.from('HTTP/1.1 200 OK\r\n\r\n') },
    { most: 5 },
  );

  it('at another port than Amanda’s has the connections that begin like frames, from their beginning', () => {
    const file = capture([
      { segments: web, ports: { initiator: 5_000, target: 8_080 } },
      { segments: noop, ports: { initiator: 5_001, target: 8_080 } },
    ]);
    const told = connectionsOf(readCapture(file).packets);
    expect(told.map(({ initiator, said }) => [initiator, ...said])).toEqual([
      ['127.0.0.1:5001', 'open', 'end initiator', 'end target', 'over'],
    ]);
    expect(told[0]?.bytes.initiator.equals(conversation('noop.1').bytes.c2s)).toBe(true);
  });

  it('has all connections to the port that is asked for, and no others', () => {
    const file = capture([
      { segments: web, ports: { initiator: 5_000, target: 8_080 } },
      { segments: noop, ports: { initiator: 700, target: 10_080 } },
    ]);
    const told = connectionsOf(readCapture(file).packets, { port: 8_080 });
    expect(told.map(({ target, bytes }) => [target, bytes.initiator.toString()])).toEqual([
      ['127.0.0.2:8080', 'GET / HTTP/1.1\r\n\r\n'],
    ]);
  });

  it.each(['bsd-amdump', 'bsdudp-amcheck'])(
    '%s, by the real tcpdump, has all the packets',
    (name) => {
      const file = readFileSync(`${capturesDirectory}${name}.pcap`);
      const { packets, error } = readCapture(file);
      expect(error).toBeUndefined();
      const tcp = packets
        .map((packet) => readSegment(packet))
        .filter((segment) => typeof segment === 'object');
      expect(
        tcp.map(({ sequence, flags, payload }) => [sequence, flags, Buffer.from(payload)]),
      ).toEqual(
        readPcap(file).flatMap(({ protocol, sequence, flags, payload }) =>
          protocol === 'tcp' ? [[sequence, flags, Buffer.from(payload)]] : [],
        ),
      );
    },
  );

  it('is counted: packets, connections, and what could not be used', () => {
    const reader = new AmandaCapture(() => undefined);
    for (const { number, at, bytes } of readCapture(
      capture([{ segments: web, ports: { initiator: 1, target: 2 } }]),
    ).packets) {
      reader.push({ number, at, bytes, link: 1 });
    }
    reader.push({ number: 1, at: 1, link: 147, bytes: new Uint8Array(90) });
    reader.end();
    expect(reader.summary).toEqual({
      packets: web.length + 1,
      connections: 1,
      unusable: new Map([['unknown link type', 1]]),
    });
  });

  it('with damaged packets tells what it can, and throws nothing', () => {
    const file = capture([{ segments: noop, ports: { initiator: 1_023, target: 10_080 } }]);
    const { packets } = readCapture(file);
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ packet: fc.nat(packets.length - 1), at: fc.nat(60), value: fc.nat(255) }),
          { maxLength: 12 },
        ),
        (flips) => {
          const damaged = packets.map((packet, index) => {
            const bytes = Buffer.from(packet.bytes);
            for (const { packet: which, at, value } of flips)
              if (which === index && at < bytes.length) bytes[at] = value;
            return { ...packet, bytes };
          });
          connectionsOf(damaged);
        },
      ),
      { numRuns: 500 },
    );
  });
});
