import { describe, expect, it } from 'vitest';
import { decodeDatagram, encodeDatagram } from '../../src/wire/datagram.js';
import { captureBytes, captureLines, captureNames, isShownAs } from '../support/captures.js';
import { type CapturedPacket, listedPackets, readPcap } from '../support/pcap.js';

const portOf: Readonly<Record<string, number>> = { 'bsd-amdump': 10091, 'bsdudp-amcheck': 10092 };
const amount: Readonly<Record<string, number>> = { 'bsd-amdump': 18, 'bsdudp-amcheck': 9 };

describe.each(captureNames('.pcap'))('the recorded conversation over UDP %s', (name) => {
  const packets = readPcap(captureBytes(`${name}.pcap`));
  const datagrams = packets.filter(({ protocol }) => protocol === 'udp');

  it('has the packets that its list shows', () => {
    const notable = packets.filter(
      ({ protocol, flags, payload }) =>
        protocol === 'udp' || payload.length > 0 || (flags & 7) !== 0,
    );
    const listed = listedPackets(captureLines(`${name}.txt`));
    expect(notable.map(outline)).toEqual(
      listed.map(({ time, shown: _, ...rest }) => ({ ...rest, time: time.toFixed(3) })),
    );
    notable.forEach(({ payload }, index) => {
      const shown = listed[index]?.shown ?? { kind: 'nothing' };
      expect(isShownAs(payload, shown)).toBe(true);
    });
  });

  it('decodes to packets that the encoder writes with the same bytes', () => {
    expect(datagrams.length).toBe(amount[name]);
    for (const { payload } of datagrams) {
      expect(Buffer.compare(encodeDatagram(decodeDatagram(payload)), payload)).toBe(0);
    }
  });

  it('says of each packet what its own text says', () => {
    for (const { payload, sourcePort, destinationPort } of datagrams) {
      const [, type, handle, sequence, body] =
        /^Amanda 3\.5 (\w+) HANDLE (\S+) SEQ (\d+)\n(.*)$/s.exec(
          Buffer.from(payload).toString('latin1'),
        ) ?? [];
      const { packet, ...exchange } = decodeDatagram(payload);
      expect(exchange).toEqual({ handle, sequence: Number(sequence) });
      expect([packet.type, Buffer.from(packet.body).toString('latin1')]).toEqual([type, body]);
      expect([sourcePort, destinationPort]).toContain(portOf[name]);
    }
  });
});

/** TCP's flags by the letters that the lists use. */
const flagLetters = [
  ['S', 2],
  ['A', 16],
  ['P', 8],
  ['F', 1],
  ['R', 4],
] as const;

function outline({
  time,
  protocol,
  sourcePort,
  destinationPort,
  flags,
  payload,
}: CapturedPacket): object {
  const letters = flagLetters.filter(([, bit]) => (flags & bit) !== 0).map(([letter]) => letter);
  return {
    protocol,
    sourcePort,
    destinationPort,
    flags: letters.join(''),
    length: payload.length,
    time: time.toFixed(3),
  };
}
