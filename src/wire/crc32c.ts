/** A checksum as Amanda writes it: CRC-32C and how many bytes it is of. */
export interface Checksum {
  /** 0 … 2³² − 1. */
  readonly crc: number;
  /** 0 … 2⁵³ − 1. */
  readonly bytes: number;
}

/** The Castagnoli polynomial, bits reflected. */
const POLYNOMIAL = 0x82f6_3b78;
/** Bytes that one round of the main loop takes. */
const ROUND = 16;
const tables = makeTables();

/**
 * The CRC-32C of bytes, 0 … 2³² − 1; with `crc`, of what that one is of and these bytes behind it.
 *
 * This is the CRC of `native-CRC` and `client-CRC`, and not the CRC-32 of zlib. Source: PROTOCOL.md, "Checksums".
 */
export function crc32c(bytes: Uint8Array, crc = 0): number {
  let register = ~crc;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const rounds = bytes.length - (bytes.length % ROUND);
  for (let at = 0; at < rounds; at += ROUND) {
    const a = view.getInt32(at, true) ^ register;
    const b = view.getInt32(at + 4, true);
    const c = view.getInt32(at + 8, true);
    const d = view.getInt32(at + 12, true);
    // One load a byte: table n holds what a byte is worth with n bytes behind it.
    register =
      look(0xf00 | (a & 0xff)) ^
      look(0xe00 | ((a >>> 8) & 0xff)) ^
      look(0xd00 | ((a >>> 16) & 0xff)) ^
      look(0xc00 | (a >>> 24)) ^
      look(0xb00 | (b & 0xff)) ^
      look(0xa00 | ((b >>> 8) & 0xff)) ^
      look(0x900 | ((b >>> 16) & 0xff)) ^
      look(0x800 | (b >>> 24)) ^
      look(0x700 | (c & 0xff)) ^
      look(0x600 | ((c >>> 8) & 0xff)) ^
      look(0x500 | ((c >>> 16) & 0xff)) ^
      look(0x400 | (c >>> 24)) ^
      look(0x300 | (d & 0xff)) ^
      look(0x200 | ((d >>> 8) & 0xff)) ^
      look(0x100 | ((d >>> 16) & 0xff)) ^
      look(d >>> 24);
  }
  for (let at = rounds; at < bytes.length; at++)
    register = (register >>> 8) ^ look((register ^ (bytes[at] as number)) & 0xff);
  return ~register >>> 0;
}

/** `%08x:%lld`, as in a `native-CRC` line. */
export function formatChecksum(crc: number, bytes: number | bigint): string {
  return `${(crc >>> 0).toString(16).padStart(8, '0')}:${bytes}`;
}

/** Reads what {@link formatChecksum} writes; undefined when it is something else or the count is over 2⁵³ − 1. */
export function parseChecksum(text: string): Checksum | undefined {
  const [, crc = '', bytes = ''] = /^([0-9a-fA-F]{1,8}):(\d{1,16})$/.exec(text) ?? [];
  if (crc === '' || !Number.isSafeInteger(Number(bytes))) return undefined;
  return { crc: Number.parseInt(crc, 16), bytes: Number(bytes) };
}

function look(index: number): number {
  // Always inside: four bits choose the table and eight the entry.
  return tables[index] as number;
}

function makeTables(): Int32Array {
  const all = new Int32Array(ROUND * 256);
  for (let byte = 0; byte < 256; byte++) {
    let register = byte;
    for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ (register & 1 ? POLYNOMIAL : 0);
    all[byte] = register;
  }
  for (let entry = 256; entry < all.length; entry++) {
    const before = all[entry - 256] as number;
    all[entry] = (before >>> 8) ^ (all[before & 0xff] as number);
  }
  return all;
}
