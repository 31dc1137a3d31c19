import { AmandaError } from './errors.js';
import { bytesBefore, decodeText, encodeText } from './text.js';

/** The packet types and their bytes in a TCPM packet. Source: PROTOCOL.md, "Packets". */
export const packetTypes = { REQ: 0, REP: 1, PREP: 2, ACK: 3, NAK: 4 } as const;

/**
 * What a packet is: REQ asks, REP answers, PREP answers in part, ACK confirms, NAK refuses. BOGUS
 * stands for an unknown type byte; it is a value because a peer may send one.
 */
export type PacketType = keyof typeof packetTypes | 'BOGUS';

/** One message of the REQ/REP exchange. */
export interface Packet {
  readonly type: PacketType;
  /** The text after the type byte, up to the first NUL, as bytes. */
  readonly body: Uint8Array;
}

const nameOfByte: readonly PacketType[] = ['REQ', 'REP', 'PREP', 'ACK', 'NAK'];

/** A packet of a type and a body; text is encoded as UTF-8. */
export function packet(type: Exclude<PacketType, 'BOGUS'>, body: string | Uint8Array = ''): Packet {
  return { type, body: encodeText(body) };
}

/**
 * The payload of the frame that carries a packet: type byte, body, one NUL.
 *
 * Errors with `BAD_PACKET` for BOGUS, which has no byte. Errors with it also for a body with a NUL,
 * because a receiver reads only what is before the NUL.
 */
export function encodePacket({ type, body }: Packet): Uint8Array {
  const payload = new Uint8Array(body.length + 2);
  payload[0] = packetTypes[sendableType(type, body, 'type byte')];
  payload.set(body, 1);
  return payload;
}

/** The type of a packet that can be sent; errors with `BAD_PACKET` when it cannot. */
export function sendableType(
  type: PacketType,
  body: Uint8Array,
  missing: string,
): keyof typeof packetTypes {
  if (type === 'BOGUS')
    throw new AmandaError(
      'BAD_PACKET',
      `A packet of type BOGUS cannot be sent: it has no ${missing}.`,
    );
  if (body.includes(0))
    throw new AmandaError(
      'BAD_PACKET',
      `The body of this ${type} contains a NUL, and the receiver would read only what is before it.`,
    );
  return type;
}

/**
 * Reads the packet in a frame's payload.
 *
 * The NUL at the end may be missing, and what follows the first NUL is ignored, as Amanda does.
 * Errors with `BAD_PACKET` for an empty payload, which is a close.
 */
export function decodePacket(payload: Uint8Array): Packet {
  const type = payload[0];
  if (type === undefined)
    throw new AmandaError(
      'BAD_PACKET',
      'An empty payload is no packet: a packet has at least its type byte.',
    );
  return { type: nameOfByte[type] ?? 'BOGUS', body: bytesBefore(payload.subarray(1), 0) };
}

/** The body of a packet as text. */
export function packetText({ body }: Packet): string {
  return decodeText(body);
}
