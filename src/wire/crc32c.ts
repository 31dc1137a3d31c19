/** A checksum as Amanda writes it: the CRC-32C of a number of bytes. */
export interface Checksum {
  /** 0 … 2³² − 1. */
  readonly crc: number;
  /** 0 … 2⁵³ − 1. */
  readonly bytes: number;
}

/** The Castagnoli polynomial, bits reflected. */
const POLYNOMIAL = 0x82f6_3b78;
/** Bytes that the main loop takes at a time. */
const ROUND = 16;
const tables = makeTables();

/**
 * The CRC-32C of bytes, 0 … 2³² − 1. With `crc` it continues that checksum with these bytes.
 *
 * `native-CRC` and `client-CRC` use it; zlib's CRC-32 differs. Source: PROTOCOL.md, "Checksums".
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
    // One load a byte: table n holds the effect of a byte that n others follow.
    register =
      entryAt(0xf00 | (a & 0xff)) ^
      entryAt(0xe00 | ((a >>> 8) & 0xff)) ^
      entryAt(0xd00 | ((a >>> 16) & 0xff)) ^
      entryAt(0xc00 | (a >>> 24)) ^
      entryAt(0xb00 | (b & 0xff)) ^
      entryAt(0xa00 | ((b >>> 8) & 0xff)) ^
      entryAt(0x900 | ((b >>> 16) & 0xff)) ^
      entryAt(0x800 | (b >>> 24)) ^
      entryAt(0x700 | (c & 0xff)) ^
      entryAt(0x600 | ((c >>> 8) & 0xff)) ^
      entryAt(0x500 | ((c >>> 16) & 0xff)) ^
      entryAt(0x400 | (c >>> 24)) ^
      entryAt(0x300 | (d & 0xff)) ^
      entryAt(0x200 | ((d >>> 8) & 0xff)) ^
      entryAt(0x100 | ((d >>> 16) & 0xff)) ^
      entryAt(d >>> 24);
  }
  for (let at = rounds; at < bytes.length; at++)
    register = (register >>> 8) ^ entryAt((register ^ (bytes[at] as number)) & 0xff);
  return ~register >>> 0;
}

/** `%08x:%lld`, as in a `native-CRC` line. */
export function formatChecksum(crc: number, bytes: number | bigint): string {
  return `${(crc >>> 0).toString(16).padStart(8, '0')}:${bytes}`;
}

/** Reads what {@link formatChecksum} writes; undefined for other text and a count over 2⁵³ − 1. */
export function parseChecksum(text: string): Checksum | undefined {
  // NaN for other text.
  const bytes = Number(/^[0-9a-fA-F]{1,8}:(\d{1,16})$/.exec(text)?.[1]);
  return Number.isSafeInteger(bytes) ? { crc: Number.parseInt(text, 16), bytes } : undefined;
}

function entryAt(index: number): number {
  // Always within: four bits choose the table, eight the entry.
  return tables[index] as number;
}

function makeTables(): Int32Array {
  const all = new Int32Array(ROUND * 256);
  for (const entry of all.keys()) {
    const before = all[entry - 256] as number;
    all[entry] = entry < 256 ? oneByte(entry) : (before >>> 8) ^ (all[before & 0xff] as number);
  }
  return all;
}

function oneByte(byte: number): number {
  let register = byte;
  for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ (register & 1 ? POLYNOMIAL : 0);
  return register;
}
