import { AmandaError } from '../wire/errors.js';
import type { Role } from '../wire/role.js';
import { addressBytes, ipHeader } from './ip-header.js';
import { tcpFlags, type Endpoint } from './tcp-segment.js';
import { writeUint16, writeUint32 } from './numbers.js';

/** The ends of a connection. A pipe or another text that is no IP address becomes 127.0.0.x. */
export interface WrittenConnection {
  readonly initiator: Endpoint;
  readonly target: Endpoint;
}

/** Bytes to write one after another; payloads are not copied. */
export type FileParts = readonly Uint8Array[];

/** The most bytes of a segment, so that an IPv4 packet stays below 64 KiB. */
const MAX_SEGMENT = 65_160;
const SNAP_LENGTH = 262_144;
const ETHERNET = 1;
const RECORD_BYTES = 16;
const ETHERNET_BYTES = 14;
const TCP_BYTES = 20;

interface WrittenEnd {
  readonly address: Uint8Array;
  readonly port: number;
  /** The number of the next byte that it sends. */
  sequence: number;
  ended: boolean;
}

/**
 * Writes connections as a classic pcap file with complete packets: Ethernet, IP, and TCP with
 * handshake, sequence numbers and checksums. Each call returns the parts to append to the file.
 *
 * `at` is milliseconds since 1970, 0 … 2³² s. Throws `BAD_ARGUMENT` for a connection that is not
 * open, or is opened twice.
 */
export class PcapWriter {
  readonly #connections = new Map<number, Readonly<Record<Role, WrittenEnd>>>();
  /** Added to the first sequence numbers of a connection. */
  #apart = 0;

  /** The header of the file. */
  begin(): FileParts {
    const header = new Uint8Array(24);
    writeUint32(header, 0, 0xa1b2c3d4);
    writeUint16(header, 4, 2);
    writeUint16(header, 6, 4);
    writeUint32(header, 16, SNAP_LENGTH);
    writeUint32(header, 20, ETHERNET);
    return [header];
  }

  /** A connection was made; `number` names it in the other calls. */
  open(at: number, number: number, { initiator, target }: WrittenConnection): FileParts {
    if (this.#connections.has(number))
      throw new AmandaError('BAD_ARGUMENT', `Connection ${number} is open already.`);
    const [first, second] = addressBytes(initiator.address, target.address);
    const sides = {
      initiator: {
        address: first,
        port: portOf(initiator),
        sequence: (1_000 + this.#apart) >>> 0,
        ended: false,
      },
      target: {
        address: second,
        port: portOf(target),
        sequence: (2_000 + this.#apart) >>> 0,
        ended: false,
      },
    };
    // Initiators reuse source ports. With the same sequence numbers, a reader would take a new
    // connection for a retransmission of the old one.
    this.#apart = (this.#apart + FAR_APART) >>> 0;
    this.#connections.set(number, sides);
    const { syn, ack } = tcpFlags;
    return [
      ...this.#packet(at, sides.initiator, sides.target, syn),
      ...this.#packet(at, sides.target, sides.initiator, syn | ack),
      ...this.#packet(at, sides.initiator, sides.target, ack),
    ];
  }

  /** A side has sent bytes. The result refers to them. */
  bytes(at: number, number: number, sender: Role, bytes: Uint8Array): FileParts {
    const { from, to } = this.#sides(number, sender);
    const parts: Uint8Array[] = [];
    for (let offset = 0; offset < bytes.length; offset += MAX_SEGMENT) {
      parts.push(
        ...this.#packet(
          at,
          from,
          to,
          PUSH | tcpFlags.ack,
          bytes.subarray(offset, offset + MAX_SEGMENT),
        ),
      );
    }
    return parts;
  }

  /** A side has closed its direction. When both have, the connection is over. */
  end(at: number, number: number, sender: Role): FileParts {
    const { from, to } = this.#sides(number, sender);
    if (from.ended) return [];
    from.ended = true;
    const parts = this.#packet(at, from, to, tcpFlags.fin | tcpFlags.ack);
    if (!to.ended) return parts;
    this.#connections.delete(number);
    return [...parts, ...this.#packet(at, to, from, tcpFlags.ack)];
  }

  /** A side has reset the connection; it is over. */
  reset(at: number, number: number, sender: Role): FileParts {
    const { from, to } = this.#sides(number, sender);
    this.#connections.delete(number);
    return this.#packet(at, from, to, tcpFlags.rst | tcpFlags.ack);
  }

  /** Whether a connection is open. */
  has(number: number): boolean {
    return this.#connections.has(number);
  }

  #sides(number: number, sender: Role): { readonly from: WrittenEnd; readonly to: WrittenEnd } {
    const sides = this.#connections.get(number);
    if (sides === undefined)
      throw new AmandaError('BAD_ARGUMENT', `Connection ${number} is not open.`);
    return sender === 'initiator'
      ? { from: sides.initiator, to: sides.target }
      : { from: sides.target, to: sides.initiator };
  }

  /** A packet, headers and payload apart. Advances the sequence number. */
  #packet(
    at: number,
    from: WrittenEnd,
    to: WrittenEnd,
    flags: number,
    payload: Uint8Array = NO_BYTES,
  ): FileParts {
    const ip = ipHeader(from.address, to.address, TCP_BYTES + payload.length);
    const tcpAt = RECORD_BYTES + ETHERNET_BYTES + ip.bytes.length;
    const head = new Uint8Array(tcpAt + TCP_BYTES);
    writeRecord(head, at, head.length - RECORD_BYTES + payload.length);
    writeUint16(head, RECORD_BYTES + 12, ip.etherType);
    head.set(ip.bytes, RECORD_BYTES + ETHERNET_BYTES);
    const tcp = head.subarray(tcpAt);
    writeUint16(tcp, 0, from.port);
    writeUint16(tcp, 2, to.port);
    writeUint32(tcp, 4, from.sequence);
    // The first SYN acknowledges nothing.
    if ((flags & tcpFlags.ack) !== 0) writeUint32(tcp, 8, to.sequence);
    tcp[12] = (TCP_BYTES / 4) << 4;
    tcp[13] = flags;
    writeUint16(tcp, 14, WINDOW);
    writeUint16(tcp, 16, ip.checksum(tcp, payload));
    const counts = (flags & (tcpFlags.syn | tcpFlags.fin)) === 0 ? 0 : 1;
    from.sequence = (from.sequence + payload.length + counts) >>> 0;
    return payload.length === 0 ? [head] : [head, payload];
  }
}

const PUSH = 8;
/** Multiples of it, modulo 2³², are far apart. */
const FAR_APART = 0x9e37_79b1;
const WINDOW = 65_535;
const NO_BYTES = new Uint8Array(0);

function writeRecord(head: Uint8Array, at: number, size: number): void {
  const microseconds = Math.max(0, Math.round(at * 1e3));
  writeUint32(head, 0, Math.floor(microseconds / 1e6));
  writeUint32(head, 4, microseconds % 1e6);
  writeUint32(head, 8, size);
  writeUint32(head, 12, size);
}

function portOf({ port }: Endpoint): number {
  return Number.isInteger(port) && port > 0 && port < 0x1_0000 ? port : 0;
}
