import { uint16, uint32 } from './numbers.js';

/** The length of a link header, and the place of the protocol in it. */
interface LinkForm {
  readonly header: number;
  readonly protocolAt: number | 'family' | 'none';
}

/** By LINKTYPE number. */
const links: ReadonlyMap<number, LinkForm> = new Map<number, LinkForm>([
  [0, { header: 4, protocolAt: 'family' }], // BSD loopback
  [108, { header: 4, protocolAt: 'family' }], // OpenBSD loopback
  [1, { header: 14, protocolAt: 12 }], // Ethernet
  [113, { header: 16, protocolAt: 14 }], // Linux cooked
  [276, { header: 20, protocolAt: 0 }], // Linux cooked, version 2
  ...[12, 14, 101, 228, 229].map((raw) => [raw, { header: 0, protocolAt: 'none' }] as const),
]);

const protocols = { ipv4: 0x0800, ipv6: 0x86dd } as const;
const vlanTags: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100]);

/** The address families of IPv4 and IPv6 on different systems. */
const families: ReadonlySet<number> = new Set([2, 10, 24, 28, 30]);

/** Whether packets of this link type can be read. */
export function knowsLink(link: number): boolean {
  return links.has(link);
}

/** The IP packet in a captured one; undefined when there is none. */
export function internetPacket(link: number, bytes: Uint8Array): Uint8Array | undefined {
  const found = links.get(link);
  if (found === undefined || bytes.length < found.header) return undefined;
  const { header, protocolAt } = found;
  if (protocolAt === 'none') return bytes;
  // The family has the byte order of the capturing machine, which is unknown.
  if (protocolAt === 'family')
    return families.has(uint32(bytes, 0, 'little')) || families.has(uint32(bytes, 0))
      ? bytes.subarray(header)
      : undefined;
  let protocol = uint16(bytes, protocolAt);
  let at = header;
  while (vlanTags.has(protocol) && at + 4 <= bytes.length) {
    protocol = uint16(bytes, at + 2);
    at += 4;
  }
  return protocol === protocols.ipv4 || protocol === protocols.ipv6
    ? bytes.subarray(at)
    : undefined;
}
