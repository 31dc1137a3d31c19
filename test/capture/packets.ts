/** Packets and captures made by hand, without anything of `src/capture`. */

export const flags = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

export interface Segment {
  /** Milliseconds. */
  readonly at?: number;
  readonly from?: 'initiator' | 'target';
  readonly sequence: number;
  readonly acknowledged?: number;
  readonly flags?: number;
  readonly payload?: Uint8Array | string;
}

/** The two ends that {@link tcp} gives a segment, unless told otherwise. */
export const ends = {
  initiator: { address: [127, 0, 0, 1], port: 700 },
  target: { address: [127, 0, 0, 2], port: 10_080 },
} as const;

export interface Ports {
  readonly initiator: number;
  readonly target: number;
}

/** A TCP segment, header and payload. */
export function tcp(
  {
    from = 'initiator',
    sequence,
    acknowledged = 0,
    flags: bits = flags.ack,
    payload = '',
  }: Segment,
  ports?: Ports,
): Buffer {
  const { initiator, target } = ports ?? {
    initiator: ends.initiator.port,
    target: ends.target.port,
  };
  const [source, destination] = from === 'initiator' ? [initiator, target] : [target, initiator];
  const header = Buffer.alloc(20);
  header.writeUInt16BE(source, 0);
  header.writeUInt16BE(destination, 2);
  header.writeUInt32BE(sequence >>> 0, 4);
  header.writeUInt32BE(acknowledged >>> 0, 8);
  header[12] = 5 << 4;
  header[13] = bits;
  return Buffer.concat([header, Buffer.from(payload)]);
}

/** An IPv4 packet around something. */
export function ipv4(
  inner: Uint8Array,
  from: 'initiator' | 'target' = 'initiator',
  protocol = 6,
): Buffer {
  const header = Buffer.from([
    0x45,
    0,
    0,
    0,
    0,
    1,
    0,
    0,
    64,
    protocol,
    0,
    0,
    ...ends[from].address,
    ...ends[from === 'initiator' ? 'target' : 'initiator'].address,
  ]);
  header.writeUInt16BE(20 + inner.length, 2);
  return Buffer.concat([header, inner]);
}

export function ethernet(inner: Uint8Array, type = 0x0800): Buffer {
  const header = Buffer.alloc(14);
  header.writeUInt16BE(type, 12);
  return Buffer.concat([header, inner]);
}

/** A segment as Ethernet carries it. */
export function onEthernet(segment: Segment, ports?: Ports): Buffer {
  return ethernet(ipv4(tcp(segment, ports), segment.from));
}

export interface Record {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly bytes: Uint8Array;
  /** Bytes that are kept. */
  readonly kept?: number;
}

/** A classic pcap file, little-endian, with microseconds. */
export function pcap(records: readonly Record[], link = 1): Buffer {
  const header = Buffer.from('d4c3b2a1020004000000000000000000ffff000000000000', 'hex');
  header.writeUInt32LE(link, 20);
  return Buffer.concat([header, ...records.map(record)]);
}

function record({ at, bytes, kept = bytes.length }: Record): Buffer {
  const header = Buffer.alloc(16);
  const microseconds = Math.round(at * 1000);
  header.writeUInt32LE(Math.floor(microseconds / 1e6), 0);
  header.writeUInt32LE(microseconds % 1e6, 4);
  header.writeUInt32LE(Math.min(kept, bytes.length), 8);
  header.writeUInt32LE(bytes.length, 12);
  return Buffer.concat([header, bytes.subarray(0, kept)]);
}

/**
 * Two directions as the segments of one connection, with handshake and end; each side begins at its
 * own number.
 */
export function segmentsOf(
  bytes: { readonly c2s: Uint8Array; readonly s2c: Uint8Array },
  { most = 1_000, initiatorStart = 0xffff_fe00, targetStart = 5 } = {},
): Segment[] {
  const data = (from: 'initiator' | 'target', all: Uint8Array, start: number): Segment[] =>
    Array.from({ length: Math.ceil(all.length / most) }, (_, index) => ({
      from,
      sequence: start + 1 + index * most,
      payload: all.subarray(index * most, (index + 1) * most),
    }));
  return [
    { sequence: initiatorStart, flags: flags.syn },
    {
      from: 'target',
      sequence: targetStart,
      acknowledged: initiatorStart + 1,
      flags: flags.syn | flags.ack,
    },
    ...data('initiator', bytes.c2s, initiatorStart),
    ...data('target', bytes.s2c, targetStart),
    { sequence: initiatorStart + 1 + bytes.c2s.length, flags: flags.fin | flags.ack },
    { from: 'target', sequence: targetStart + 1 + bytes.s2c.length, flags: flags.fin | flags.ack },
  ];
}
