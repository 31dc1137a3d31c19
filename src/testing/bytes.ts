import type { PacketType } from '../wire/packet.js';

/** Bytes from hexadecimal digits; blanks are ignored. Throws a plain Error for other characters. */
export function hex(digits: string): Uint8Array {
  const pairs = digits.replaceAll(/\s/g, '');
  if (!/^(?:[0-9a-f]{2})*$/i.test(pairs)) throw new Error(`This is not hexadecimal: "${digits}"`);
  return Uint8Array.from(pairs.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** The UTF-8 bytes of a text. */
export function textBytes(characters: string): Uint8Array {
  return new TextEncoder().encode(characters);
}

/**
 * The bytes of frames, each written as handle, colon and payload; an empty payload is a close.
 *
 *     frameBytes('1:abc', '1:')    0000000300000001 616263  0000000000000001
 *
 * Made without the codec, so that tests can compare both.
 */
export function frameBytes(...frames: readonly string[]): Uint8Array {
  return joinBytes(
    ...frames.map((frame) => withHeader(handleOf(frame), textBytes(payloadOf(frame)))),
  );
}

/** The bytes of one frame with this payload. */
export function withHeader(handle: number, payload: Uint8Array): Uint8Array {
  const header = new DataView(new ArrayBuffer(8));
  header.setUint32(0, payload.length);
  header.setUint32(4, handle);
  return joinBytes(new Uint8Array(header.buffer), payload);
}

/** The payload of a packet's frame: type byte, body, NUL. `packetPayload('ACK')` is 03 00. */
export function packetPayload(type: Exclude<PacketType, 'BOGUS'>, body = ''): Uint8Array {
  return joinBytes(
    hex({ REQ: '00', REP: '01', PREP: '02', ACK: '03', NAK: '04' }[type]),
    textBytes(body),
    hex('00'),
  );
}

/** The bytes of a packet's frame. */
export function packetBytes(
  handle: number,
  type: Exclude<PacketType, 'BOGUS'>,
  body = '',
): Uint8Array {
  return withHeader(handle, packetPayload(type, body));
}

/** One piece out of several. */
export function joinBytes(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

export function handleOf(frame: string): number {
  const number = /^(\d+):/.exec(frame)?.[1];
  if (number === undefined)
    throw new Error(`A frame is written as handle, colon and payload, not "${frame}"`);
  return Number(number);
}

export function payloadOf(frame: string): string {
  return frame.slice(frame.indexOf(':') + 1);
}
