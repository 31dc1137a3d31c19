import { AmandaError } from '../../wire/errors.js';

/** Bytes of a block of an archive. */
export const TAR_BLOCK = 512;

/** A header of a tar archive. Names have one character for each byte. */
export interface TarHeader {
  readonly name: string;
  /** `0` a file, `1` a hard link, `2` a symbolic link, `5` a directory, `D` one with its names … */
  readonly type: string;
  /** Bytes of data that follow. */
  readonly size: number;
  /** What a link leads to. */
  readonly linkName: string;
  /** Whether blocks with the map of a sparse file follow. */
  readonly isContinued: boolean;
}

/** Offsets and lengths of fields. */
const NAME = [0, 100] as const;
const SIZE = [124, 12] as const;
const CHECKSUM = [148, 8] as const;
const TYPE = 156;
const LINK_NAME = [157, 100] as const;
const MAGIC = [257, 8] as const;
const PREFIX = [345, 155] as const;
const IS_SPARSE_CONTINUED = 482;

/** Reads a block; undefined for the end of the archive. Throws `BAD_ARCHIVE`. */
export function decodeTarHeader(block: Uint8Array, at: number): TarHeader | undefined {
  const sum = sumOf(block);
  if (sum === 0) return undefined;
  if (numberIn(block, CHECKSUM, at) !== sum)
    throw badArchive(`its block at byte ${at} is damaged: the sum of a header is wrong`);
  const magic = textIn(block, MAGIC);
  const type = String.fromCharCode(block[TYPE] ?? 0).replace('\0', '0');
  const prefix = magic === 'ustar' ? textIn(block, PREFIX) : '';
  const name = textIn(block, NAME);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    type,
    size: numberIn(block, SIZE, at),
    linkName: textIn(block, LINK_NAME),
    isContinued: type === 'S' && block[IS_SPARSE_CONTINUED] !== 0,
  };
}

/** The sum of a header's bytes, with blanks in the place of the sum; 0 for a block of zeros. */
function sumOf(block: Uint8Array): number {
  let sum = 0;
  for (const byte of block) sum += byte;
  if (sum === 0) return 0;
  const [from, length] = CHECKSUM;
  for (const byte of block.subarray(from, from + length)) sum += 0x20 - byte;
  return sum;
}

type Field = readonly [from: number, length: number];

function textIn(block: Uint8Array, [from, length]: Field): string {
  const text = Buffer.from(block.buffer, block.byteOffset + from, length).toString('latin1');
  const end = text.indexOf('\0');
  return end === -1 ? text : text.slice(0, end);
}

/** Octal digits, or with the highest bit set a binary number. */
function numberIn(block: Uint8Array, field: Field, at: number): number {
  const [from, length] = field;
  const bytes = block.subarray(from, from + length);
  if (bytes[0] === 0x80) {
    const number = bytes.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
    if (Number.isSafeInteger(number)) return number;
  }
  const text = textIn(block, field).trim();
  if (!/^[0-7]{1,12}$/.test(text)) throw badArchive(`a number in its header at byte ${at} is none`);
  return Number.parseInt(text, 8);
}

/** The error for an archive that cannot be read or must not be unpacked. */
export function badArchive(why: string): AmandaError {
  return new AmandaError('BAD_ARCHIVE', `The archive cannot be used, because ${why}.`);
}

/** Reads the records of a header of type `x`. Names have one character for each byte. */
export function decodePaxRecords(data: Uint8Array, at: number): Map<string, string> {
  const text = Buffer.from(data.buffer, data.byteOffset, data.length).toString('latin1');
  const records = new Map<string, string>();
  for (let from = 0; from < text.length;) {
    const blank = text.indexOf(' ', from);
    const digits = text.slice(from, blank);
    const length = /^\d{1,9}$/.test(digits) ? Number(digits) : 0;
    const record = text.slice(blank + 1, from + length);
    const equals = record.indexOf('=');
    if (blank === -1 || equals < 1 || !record.endsWith('\n') || from + length > text.length)
      throw badArchive(`the records at byte ${at} are malformed`);
    records.set(record.slice(0, equals), record.slice(equals + 1, -1));
    from += length;
  }
  return records;
}
