import { AmandaError } from '../wire/errors.js';
import { addressBytes, ipHeader } from './ip-header.js';
import type { Sender } from './tcp-reassembly.js';
import { tcpFlags, type Endpoint } from './tcp-segment.js';
import { writeUint16, writeUint32 } from './numbers.js';

/** Where a connection goes from and to. What is no IP address, such as a pipe, is written as one of 127.0.0.0/8. */
export interface WrittenConnection {
  readonly initiator: Endpoint;
  readonly target: Endpoint;
}

/** Bytes to be written one after the other; a payload is passed on, not copied. */
export type FileParts = readonly Uint8Array[];

/** Bytes of a segment at the most, so that an IPv4 packet of them stays below 64 KiB. */
const MAX_SEGMENT = 65_160;
const SNAP_LENGTH = 262_144;
const ETHERNET = 1;
const RECORD_BYTES = 16;
const ETHERNET_BYTES = 14;
const TCP_BYTES = 20;

interface Side {
  readonly address: Uint8Array;
  readonly port: number;
  /** Of the next byte that it sends. */
  sequence: number;
  ended: boolean;
}

/**
 * Writes connections as a classic pcap file, as if their packets had been captured: Ethernet, IP, TCP with its handshake, numbers and
 * checksums. Each call returns what is to be appended to the file.
 *
 * `at` is milliseconds since 1970, 0 … 2³² s. Errors with `BAD_ARGUMENT` for a connection that was not opened, or twice.
 */
export class PcapWriter {
  readonly #connections = new Map<number, Readonly<Record<Sender, Side>>>();
  /** Added to the first sequence numbers. */
  #apart = 0;

  /** What the file begins with. */
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
    // Real initiators take the same source port again and again. With the same numbers too, a reader takes the second connection for the first one, sent again.
    this.#apart = (this.#apart + FAR_APART) >>> 0;
    this.#connections.set(number, sides);
    const { syn, ack } = tcpFlags;
    return [
      ...this.#packet(at, sides.initiator, sides.target, syn),
      ...this.#packet(at, sides.target, sides.initiator, syn | ack),
      ...this.#packet(at, sides.initiator, sides.target, ack),
    ];
  }

  /** A side has sent bytes. They are referred to by what is returned. */
  bytes(at: number, number: number, sender: Sender, bytes: Uint8Array): FileParts {
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

  /** A side has sent everything. When both have, the connection is over. */
  end(at: number, number: number, sender: Sender): FileParts {
    const { from, to } = this.#sides(number, sender);
    if (from.ended) return [];
    from.ended = true;
    const parts = this.#packet(at, from, to, tcpFlags.fin | tcpFlags.ack);
    if (!to.ended) return parts;
    this.#connections.delete(number);
    return [...parts, ...this.#packet(at, to, from, tcpFlags.ack)];
  }

  /** A side has broken the connection; it is over. */
  reset(at: number, number: number, sender: Sender): FileParts {
    const { from, to } = this.#sides(number, sender);
    this.#connections.delete(number);
    return this.#packet(at, from, to, tcpFlags.rst | tcpFlags.ack);
  }

  /** Whether a connection was opened and is not over. */
  has(number: number): boolean {
    return this.#connections.has(number);
  }

  #sides(number: number, sender: Sender): { readonly from: Side; readonly to: Side } {
    const sides = this.#connections.get(number);
    if (sides === undefined)
      throw new AmandaError('BAD_ARGUMENT', `Connection ${number} is not open.`);
    return sender === 'initiator'
      ? { from: sides.initiator, to: sides.target }
      : { from: sides.target, to: sides.initiator };
  }

  /** A packet, headers and payload apart. Counts what it carries. */
  #packet(
    at: number,
    from: Side,
    to: Side,
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
/** As far as 32 bits allow from all that it was added to before. */
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
