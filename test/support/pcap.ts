import { type Shown, shownBy } from './captures.js';
import { literal } from './initiator-cases.js';

/** One UDP datagram or TCP segment of a packet capture. */
export interface CapturedPacket {
  /** Seconds since the first packet of the file. */
  readonly time: number;
  readonly protocol: 'udp' | 'tcp';
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** TCP's flag bits: 1 FIN, 2 SYN, 4 RST, 8 PSH, 16 ACK; 0 for UDP. */
  readonly flags: number;
  /** TCP's sequence number of the first payload byte; 0 for UDP. */
  readonly sequence: number;
  readonly payload: Uint8Array;
}

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const ETHERNET_HEADER_BYTES = 14;
const UDP_HEADER_BYTES = 8;

/**
 * The UDP and TCP packets over IPv4 in a classic pcap file: little-endian, microseconds, Ethernet.
 * Anything else is an error.
 */
export function readPcap(file: Uint8Array): readonly CapturedPacket[] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  if (bytes.readUInt32LE(0) !== 0xa1b2c3d4 || bytes.readUInt32LE(20) !== 1)
    throw new Error('Not a little-endian pcap file of Ethernet packets.');
  const packets: CapturedPacket[] = [];
  let start: number | undefined;
  let at = FILE_HEADER_BYTES;
  while (at < bytes.length) {
    const seconds = bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) / 1e6;
    const kept = bytes.readUInt32LE(at + 8);
    if (kept !== bytes.readUInt32LE(at + 12))
      throw new Error(`The packet at byte ${at} was not kept as a whole.`);
    const from = at + RECORD_HEADER_BYTES;
    start ??= seconds;
    packets.push({
      time: seconds - start,
      ...transport(internet(bytes.subarray(from, from + kept))),
    });
    at = from + kept;
  }
  return packets;
}

interface InternetPacket {
  readonly protocol: number;
  readonly bytes: Buffer;
}

function internet(ethernet: Buffer): InternetPacket {
  const packet = ethernet.subarray(ETHERNET_HEADER_BYTES);
  if (ethernet.readUInt16BE(12) !== 0x0800) throw new Error('A packet that is not IPv4.');
  const isFragment = (packet.readUInt16BE(6) & 0x3fff) !== 0;
  if (isFragment) throw new Error('A fragment of a packet.');
  return {
    protocol: packet.readUInt8(9),
    bytes: packet.subarray((packet.readUInt8(0) & 15) * 4, packet.readUInt16BE(2)),
  };
}

function transport({ protocol, bytes }: InternetPacket): Omit<CapturedPacket, 'time'> {
  const ports = { sourcePort: bytes.readUInt16BE(0), destinationPort: bytes.readUInt16BE(2) };
  if (protocol === 17)
    return {
      protocol: 'udp',
      ...ports,
      flags: 0,
      sequence: 0,
      payload: bytes.subarray(UDP_HEADER_BYTES),
    };
  if (protocol !== 6) throw new Error(`A packet of protocol ${protocol}, neither UDP nor TCP.`);
  const payload = bytes.subarray((bytes.readUInt8(12) >> 4) * 4);
  return {
    protocol: 'tcp',
    ...ports,
    flags: bytes.readUInt8(13),
    sequence: bytes.readUInt32BE(4),
    payload,
  };
}

/**
 * A packet as the text beside a capture lists it; of TCP only those with a payload, SYN, FIN or RST
 * are listed.
 */
export interface ListedPacket extends Omit<CapturedPacket, 'payload' | 'sequence' | 'flags'> {
  /** Bytes of payload. */
  readonly length: number;
  /** The flags by their first letters, in the order S A P F R; empty for UDP. */
  readonly flags: string;
  readonly shown: Shown;
}

const packetLine = /^ *(\d+\.\d+) (?:(UDP)|TCP) (\d+) -> (\d+)(?: \[(\w+)\])? len=(\d+)(?: (.*))?$/;

/** The packets of such a text; a line that is not understood is an error. */
export function listedPackets(lines: readonly string[]): readonly ListedPacket[] {
  const packets: ListedPacket[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? '';
    const match = packetLine.exec(line);
    if (match === null) throw new Error(`A line of a capture's list is not understood: ${line}`);
    const from = at + 1;
    for (at = from; lines[at]?.startsWith('    | ') === true;) at += 1;
    packets.push(listedPacket(match, lines.slice(from, at)));
  }
  return packets;
}

function listedPacket(
  [, time, udp, source, destination, flags = '', length, front]: readonly (string | undefined)[],
  text: readonly string[],
): ListedPacket {
  const protocol = udp === undefined ? 'tcp' : 'udp';
  const shown: Shown =
    protocol === 'udp'
      ? shownBy(text)
      : front === undefined
        ? { kind: 'nothing' }
        : { kind: 'hex', bytes: literal(front) };
  return {
    time: Number(time),
    protocol,
    sourcePort: Number(source),
    destinationPort: Number(destination),
    length: Number(length),
    flags,
    shown,
  };
}
