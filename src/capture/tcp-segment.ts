import type { CapturedPacket } from './captured-packet.js';
import { readIpPacket } from './ip-packet.js';
import { internetPacket, knowsLink } from './link-layer.js';
import { uint16, uint32 } from './numbers.js';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** A captured TCP segment. */
export interface TcpSegment {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  /** The number of the first byte of the payload, or of a SYN. */
  readonly sequence: number;
  /** The number that the sender expects next; only valid with the flag ACK. */
  readonly acknowledged: number;
  /** {@link tcpFlags} */
  readonly flags: number;
  readonly payload: Uint8Array;
  /** Bytes of the payload that are not in the capture. */
  readonly missing: number;
}

export const tcpFlags = { fin: 1, syn: 2, rst: 4, ack: 16 } as const;

/** Why a captured packet that may be TCP cannot be used. */
export type Unusable = 'unknown link type' | 'fragment' | 'cut inside its headers';

const TCP = 6;
const TCP_HEADER_BYTES = 20;

/** Reads the TCP segment in a captured packet; undefined for another protocol. */
export function readSegment({
  at,
  link,
  bytes,
}: CapturedPacket): TcpSegment | Unusable | undefined {
  if (!knowsLink(link)) return 'unknown link type';
  const inner = internetPacket(link, bytes);
  const packet = inner === undefined ? undefined : readIpPacket(inner);
  if (packet?.protocol !== TCP) return undefined;
  const { source, destination, payload, missing, isFragment } = packet;
  if (isFragment) return 'fragment';
  const header = ((payload[12] ?? 0) >> 4) * 4;
  if (payload.length < Math.max(header, TCP_HEADER_BYTES)) return 'cut inside its headers';
  if (header < TCP_HEADER_BYTES) return undefined;
  return {
    at,
    source: { address: source, port: uint16(payload, 0) },
    destination: { address: destination, port: uint16(payload, 2) },
    sequence: uint32(payload, 4),
    acknowledged: uint32(payload, 8),
    flags: payload[13] ?? 0,
    payload: payload.subarray(header),
    missing,
  };
}
