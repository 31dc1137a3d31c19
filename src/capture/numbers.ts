/** The byte order of a number. */
export type ByteOrder = 'big' | 'little';

/** Two bytes as a number; a missing byte is 0. */
export function uint16(bytes: Uint8Array, at: number, order: ByteOrder = 'big'): number {
  const first = bytes[at] ?? 0;
  const second = bytes[at + 1] ?? 0;
  return order === 'big' ? (first << 8) | second : (second << 8) | first;
}

/** Four bytes as an unsigned number; a missing byte is 0. */
export function uint32(bytes: Uint8Array, at: number, order: ByteOrder = 'big'): number {
  const front = uint16(bytes, at, order);
  const back = uint16(bytes, at + 2, order);
  return order === 'big' ? front * 0x1_0000 + back : back * 0x1_0000 + front;
}

/** Writes two bytes, big-endian. */
export function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** Writes four bytes, big-endian. */
export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  writeUint16(bytes, at, value >>> 16);
  writeUint16(bytes, at + 2, value & 0xffff);
}
