import { uint16 } from './numbers.js';

/** An IP packet and its payload. */
export interface IpPacket {
  /** 6 is TCP, 17 UDP. */
  readonly protocol: number;
  /** Addresses as text: `192.0.2.1`, `2001:db8::1`. */
  readonly source: string;
  readonly destination: string;
  readonly payload: Uint8Array;
  /** Bytes of the payload that are not in the capture. */
  readonly missing: number;
  /** Whether it is a part of a larger packet. */
  readonly isFragment: boolean;
}

const IPV4_HEADER_BYTES = 20;
const IPV6_HEADER_BYTES = 40;

/** Reads an IPv4 or IPv6 packet; undefined for other bytes, or when its headers are cut. */
export function readIpPacket(bytes: Uint8Array): IpPacket | undefined {
  const version = (bytes[0] ?? 0) >> 4;
  if (version === 4) return readIpv4(bytes);
  return version === 6 ? readIpv6(bytes) : undefined;
}

function readIpv4(bytes: Uint8Array): IpPacket | undefined {
  const header = ((bytes[0] ?? 0) & 15) * 4;
  if (header < IPV4_HEADER_BYTES || bytes.length < header) return undefined;
  // 0 when the network card will segment a packet that is too long for the field.
  const total = uint16(bytes, 2) === 0 ? bytes.length : uint16(bytes, 2);
  if (total < header) return undefined;
  return {
    protocol: bytes[9] ?? 0,
    source: ipv4Text(bytes, 12),
    destination: ipv4Text(bytes, 16),
    payload: bytes.subarray(header, total),
    missing: Math.max(0, total - bytes.length),
    isFragment: (uint16(bytes, 6) & 0x3fff) !== 0,
  };
}

/** The headers between IPv6 and its payload. */
const extensions = {
  hopByHop: 0,
  routing: 43,
  fragment: 44,
  authentication: 51,
  destination: 60,
  mobility: 135,
} as const;
const lengthUnits: ReadonlyMap<number, { readonly unit: number; readonly extra: number }> = new Map(
  [
    ...[extensions.hopByHop, extensions.routing, extensions.destination, extensions.mobility].map(
      (header) => [header, { unit: 8, extra: 1 }] as const,
    ),
    [extensions.authentication, { unit: 4, extra: 2 }],
  ],
);

function readIpv6(bytes: Uint8Array): IpPacket | undefined {
  if (bytes.length < IPV6_HEADER_BYTES) return undefined;
  const size = uint16(bytes, 4);
  const end = size === 0 ? bytes.length : IPV6_HEADER_BYTES + size;
  let protocol = bytes[6] ?? 0;
  let at = IPV6_HEADER_BYTES;
  let isFragment = false;
  for (;;) {
    const length = lengthUnits.get(protocol);
    if (length === undefined && protocol !== extensions.fragment) break;
    if (at + 8 > Math.min(end, bytes.length)) return undefined;
    if (length === undefined && (uint16(bytes, at + 2) & 0xfff9) !== 0) isFragment = true;
    protocol = bytes[at] ?? 0;
    at += length === undefined ? 8 : ((bytes[at + 1] ?? 0) + length.extra) * length.unit;
  }
  if (at > Math.min(end, bytes.length)) return undefined;
  return {
    protocol,
    source: ipv6Text(bytes, 8),
    destination: ipv6Text(bytes, 24),
    payload: bytes.subarray(at, end),
    missing: Math.max(0, end - bytes.length),
    isFragment,
  };
}

function ipv4Text(bytes: Uint8Array, at: number): string {
  return `${bytes[at] ?? 0}.${bytes[at + 1] ?? 0}.${bytes[at + 2] ?? 0}.${bytes[at + 3] ?? 0}`;
}

/** The canonical text: `::` for the longest run of zeros; a mapped IPv4 address in its own form. */
function ipv6Text(bytes: Uint8Array, at: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => uint16(bytes, at + 2 * index));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return `::ffff:${ipv4Text(bytes, at + 12)}`;
  const text = groups.map((group) => group.toString(16)).join(':');
  const runs = text.match(/\b0(?::0)+\b/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  return longest === '' ? text : text.replace(new RegExp(`(^|:)${longest}(:|$)`), '::');
}
