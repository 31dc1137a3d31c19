import type { Mark } from '../diagram/page/page.js';
import { AmandaError, type AmandaErrorCode } from '../wire/errors.js';
import type { Frame } from '../wire/frame.js';
import type { PacketType } from '../wire/packet.js';
import { printable } from '../wire/text.js';
import { handleOf, hex, packetPayload, payloadOf, text } from './bytes.js';

/** Bytes of a text. */
export function chunk(characters: string): Mark<Uint8Array> {
  const value = text(characters);
  return {
    value,
    shows: { kind: 'chunk', bytes: value.length, preview: value },
    label: `"${printable(characters, 40)}"`,
  };
}

/** Bytes written as hexadecimal digits. */
export function bytes(digits: string, label = digits): Mark<Uint8Array> {
  const value = hex(digits);
  return { value, shows: { kind: 'chunk', bytes: value.length, preview: value }, label };
}

/** So many bytes of no interest. */
export function bulk(size: number): Mark<Uint8Array> {
  return {
    value: new Uint8Array(size).fill(0x2e),
    shows: { kind: 'chunk', bytes: size },
    label: `${size} bytes`,
  };
}

/** A frame, written `1:abc`; `1:` is a close. */
export function frame(written: string): Mark<Frame> {
  return frameWith(
    handleOf(written),
    text(payloadOf(written)),
    `${handleOf(written)}: "${printable(payloadOf(written), 40)}"`,
  );
}

/** A frame with so many bytes of no interest. */
export function bulkFrame(handle: number, size: number): Mark<Frame> {
  return frameWith(handle, bulk(size).value, `${handle}: ${size} bytes`);
}

/** A packet's payload. */
export function packet(type: Exclude<PacketType, 'BOGUS'>, body = ''): Mark<Uint8Array> {
  const value = packetPayload(type, body);
  return {
    value,
    shows: { kind: 'packet', type, bytes: value.length, preview: value },
    label: body === '' ? type : `${type} "${printable(body, 80)}"`,
  };
}

/** A packet of a type that the protocol does not know. */
export function bogus(typeByte: number): Mark<Uint8Array> {
  const value = Uint8Array.of(typeByte, 0);
  return {
    value,
    shows: { kind: 'packet', type: 'BOGUS', bytes: 2, preview: value },
    label: `a packet of type ${typeByte}`,
  };
}

/** The close of a handle in one direction: a frame without payload. */
export function close(): Mark<Uint8Array> {
  return { value: new Uint8Array(0), shows: { kind: 'close' }, label: 'close' };
}

/** Anything that the user gives or gets. */
export function value<V>(
  given: V,
  label = typeof given === 'string' ? given : JSON.stringify(given),
): Mark<V> {
  return { value: given, shows: { kind: 'value' }, label };
}

/** An error of this library; only its code counts. */
export function failure(code: AmandaErrorCode): Mark<AmandaError> {
  return {
    value: new AmandaError(code, `${code} on a marble page`),
    shows: { kind: 'error', code },
    label: code,
  };
}

function frameWith(handle: number, payload: Uint8Array, label: string): Mark<Frame> {
  if (payload.length === 0)
    return {
      value: { handle, payload },
      shows: { kind: 'close', handle },
      label: `${handle}: close`,
    };
  return {
    value: { handle, payload },
    shows: { kind: 'frame', handle, bytes: payload.length, preview: payload.subarray(0, 40) },
    label,
  };
}
