import { uint16, writeUint16 } from './numbers.js';

const TCP = 6;
const HOPS = 64;

/** The IP header before a TCP segment. */
export interface IpHeader {
  readonly bytes: Uint8Array;
  /** Its type in an Ethernet frame. */
  readonly etherType: number;
  /** The checksum of a segment; the field for it in `tcp` is 0. */
  readonly checksum: (tcp: Uint8Array, payload: Uint8Array) => number;
}

/** The header of an IP packet with a payload of so many bytes, at most 65,515. */
export function ipHeader(source: Uint8Array, destination: Uint8Array, size: number): IpHeader {
  const isIpv4 = source.length === 4;
  const pseudo = sumOf(source) + sumOf(destination) + TCP + size;
  const checksum = (tcp: Uint8Array, payload: Uint8Array): number =>
    folded(pseudo + sumOf(tcp) + sumOf(payload));
  if (isIpv4) return { bytes: ipv4Header(source, destination, size), etherType: 0x0800, checksum };
  const bytes = new Uint8Array(40);
  bytes[0] = 0x60;
  writeUint16(bytes, 4, size);
  bytes[6] = TCP;
  bytes[7] = HOPS;
  bytes.set(source, 8);
  bytes.set(destination, 24);
  return { bytes, etherType: 0x86dd, checksum };
}

/** Both addresses as bytes of one IP version; a text that is no address becomes 127.0.0.x. */
export function addressBytes(one: string, other: string): readonly [Uint8Array, Uint8Array] {
  const first = parseAddress(one) ?? Uint8Array.of(127, 0, 0, 1);
  const second =
    parseAddress(other) ??
    (first.length === 4 ? Uint8Array.of(127, 0, 0, 2) : Uint8Array.of(127, 0, 0, 1));
  return first.length === second.length ? [first, second] : [mapped(first), mapped(second)];
}

function ipv4Header(source: Uint8Array, destination: Uint8Array, size: number): Uint8Array {
  const bytes = new Uint8Array(20);
  bytes[0] = 0x45;
  writeUint16(bytes, 2, bytes.length + size);
  bytes[6] = 0x40;
  bytes[8] = HOPS;
  bytes[9] = TCP;
  bytes.set(source, 12);
  bytes.set(destination, 16);
  writeUint16(bytes, 10, folded(sumOf(bytes)));
  return bytes;
}

/** An IPv4 address, mapped to IPv6. */
function mapped(address: Uint8Array): Uint8Array {
  return address.length === 16
    ? address
    : Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...address);
}

function parseAddress(text: string): Uint8Array | undefined {
  if (!text.includes(':')) return parseIpv4(text);
  // A packet has no zone of a link-local address.
  const plain = text.replace(/%.*$/, '');
  const last = plain.slice(plain.lastIndexOf(':') + 1);
  const tail = last.includes('.') ? parseIpv4(last) : undefined;
  if (last.includes('.') && tail === undefined) return undefined;
  const hex =
    tail === undefined
      ? plain
      : plain.slice(0, -last.length) +
        [uint16(tail, 0), uint16(tail, 2)].map((group) => group.toString(16)).join(':');
  const sides = hex.split('::');
  const [front = [], back = []] = sides.map((side) => (side === '' ? [] : side.split(':')));
  const zeros = 8 - front.length - back.length;
  if (sides.length > 2 || zeros < 0 || (sides.length === 1 && zeros > 0)) return undefined;
  const groups = [...front, ...Array<string>(zeros).fill('0'), ...back];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const bytes = new Uint8Array(16);
  groups.forEach((group, index) => writeUint16(bytes, 2 * index, Number.parseInt(group, 16)));
  const isMapped =
    bytes.subarray(0, 10).every((byte) => byte === 0) && uint16(bytes, 10) === 0xffff;
  return isMapped ? bytes.subarray(12) : bytes;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  const isAddress =
    parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
  return isAddress ? Uint8Array.from(parts, Number) : undefined;
}

/** The sum of 16-bit numbers, two at a time for speed; for 64 KiB it is below 2³². */
function sumOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const fours = bytes.length & ~3;
  let first = 0;
  let second = 0;
  for (let at = 0; at < fours; at += 4) {
    const pair = view.getUint32(at);
    first = (first + (pair >>> 16)) | 0;
    second = (second + (pair & 0xffff)) | 0;
  }
  let sum = first + second;
  for (let at = fours; at < bytes.length; at += 1)
    sum += (bytes[at] as number) << (at % 2 === 0 ? 8 : 0);
  return sum;
}

function folded(sum: number): number {
  let rest = sum;
  while (rest > 0xffff) rest = (rest % 0x1_0000) + Math.floor(rest / 0x1_0000);
  return ~rest & 0xffff;
}
