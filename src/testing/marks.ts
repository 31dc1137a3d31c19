import type { Mark } from '../diagram/page/page.js';
import { AmandaError, type AmandaErrorCode } from '../wire/errors.js';
import type { Frame } from '../wire/frame.js';
import type { PacketType } from '../wire/packet.js';
import { printable } from '../wire/text.js';
import { handleOf, hex, packetPayload, payloadOf, textBytes } from './bytes.js';

/** Makes the marks of a page's legend. */
export const mark = {
  /** Bytes of a text. */
  chunk(characters: string): Mark<Uint8Array> {
    const value = textBytes(characters);
    return {
      value,
      shows: { kind: 'chunk', bytes: value.length, preview: value },
      label: `"${printable(characters, 40)}"`,
    };
  },

  /** Bytes, written as hexadecimal digits. */
  bytes(digits: string, label = digits): Mark<Uint8Array> {
    const value = hex(digits);
    return { value, shows: { kind: 'chunk', bytes: value.length, preview: value }, label };
  },

  /** So many bytes of any content. */
  bulk(size: number): Mark<Uint8Array> {
    return {
      value: new Uint8Array(size).fill(0x2e),
      shows: { kind: 'chunk', bytes: size },
      label: `${size} bytes`,
    };
  },

  /** A frame, written `1:abc`; `1:` is a close. */
  frame(written: string): Mark<Frame> {
    return frameMark(
      handleOf(written),
      textBytes(payloadOf(written)),
      `${handleOf(written)}: "${printable(payloadOf(written), 40)}"`,
    );
  },

  /** A frame with so many bytes of any content. */
  bulkFrame(handle: number, size: number): Mark<Frame> {
    return frameMark(handle, mark.bulk(size).value, `${handle}: ${size} bytes`);
  },

  /** The payload of a packet. */
  packet(type: Exclude<PacketType, 'BOGUS'>, body = ''): Mark<Uint8Array> {
    const value = packetPayload(type, body);
    return {
      value,
      shows: { kind: 'packet', type, bytes: value.length, preview: value },
      label: body === '' ? type : `${type} "${printable(body, 80)}"`,
    };
  },

  /** A packet of an unknown type. */
  bogus(typeByte: number): Mark<Uint8Array> {
    const value = Uint8Array.of(typeByte, 0);
    return {
      value,
      shows: { kind: 'packet', type: 'BOGUS', bytes: 2, preview: value },
      label: `a packet of type ${typeByte}`,
    };
  },

  /** The close of a handle in one direction: an empty frame. */
  close(): Mark<Uint8Array> {
    return { value: new Uint8Array(0), shows: { kind: 'close' }, label: 'close' };
  },

  /** A value of the user. */
  value<V>(given: V, label = typeof given === 'string' ? given : JSON.stringify(given)): Mark<V> {
    return { value: given, shows: { kind: 'value' }, label };
  },

  /** An error of this library; only its code is compared. */
  failure(code: AmandaErrorCode): Mark<AmandaError> {
    return {
      value: new AmandaError(code, `${code} on a marble page`),
      shows: { kind: 'error', code },
      label: code,
    };
  },
} as const;

function frameMark(handle: number, payload: Uint8Array, label: string): Mark<Frame> {
  const shows =
    payload.length === 0
      ? ({ kind: 'close', handle } as const)
      : ({
          kind: 'frame',
          handle,
          bytes: payload.length,
          preview: payload.subarray(0, 40),
        } as const);
  return {
    value: { handle, payload },
    shows,
    label: payload.length === 0 ? `${handle}: close` : label,
  };
}
