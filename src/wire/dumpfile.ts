import { formatChecksum, parseChecksum, type Checksum } from './crc32c.js';
import { AmandaError } from './errors.js';
import { quote, quotedWords, unquote } from './quote.js';
import { printable, encodeText, decodeText } from './text.js';

/** FILE is a dump, or the first piece of one; CONT_FILE a further piece on a holding disk; SPLIT_FILE a part on a tape. */
export type DumpFileType = 'FILE' | 'CONT_FILE' | 'SPLIT_FILE';

/** What stands in front of a dump in a file: what it is of, and how to restore it. */
export interface DumpHeader {
  readonly type: DumpFileType;
  /** `YYYYMMDD`, `YYYYMMDDhhmmss` or `X`: the start of the run. */
  readonly datestamp: string;
  readonly host: string;
  readonly disk: string;
  /** For SPLIT_FILE: which part, from 1, of how many (undefined when that was not known). */
  readonly part?: { readonly number: number; readonly total: number | undefined } | undefined;
  /** 0 … 399; 0 is a full dump. */
  readonly level: number;
  /** The suffix of a compressed dump, such as `.gz`; undefined when it is not compressed. */
  readonly compression?: string | undefined;
  /** What made the dump, such as `/bin/tar`; APPLICATION when {@link application} says it. */
  readonly program: string;
  /** What else stands in the first line: `crypt`, `server_custom_compress`, `client_encrypt` …, each with its value. */
  readonly coding?: readonly (readonly [name: string, value: string])[] | undefined;
  /** For a piece of a dump on a holding disk: the file with the next piece. */
  readonly continuedIn?: string | undefined;
  readonly application?: string | undefined;
  /** True for a dump that did not come to its end. */
  readonly partial?: boolean | undefined;
  /** Size before compression, in KiB. */
  readonly originalSize?: number | undefined;
  /** Of the data as the dump program wrote it, as it left the client, and as it is in this file. */
  readonly nativeChecksum?: Checksum | undefined;
  readonly clientChecksum?: Checksum | undefined;
  readonly serverChecksum?: Checksum | undefined;
  /** The `<dle>` text of the request. */
  readonly dle?: string | undefined;
  /** The commands that restore, in one line: `/bin/gzip -dc | /bin/tar -xpGf - ...`. */
  readonly restore?: string | undefined;
}

/** Bytes of the header of a dump file; the dump begins behind it. Source: PROTOCOL.md, "The dump file". */
export const DUMP_HEADER_BYTES = 32_768;

/**
 * The first 32 KiB of a dump file.
 *
 * A `dle` with no room (it has 30 KiB) is left out, as Amanda does it. Errors with `BAD_ARGUMENT` for
 * a value that cannot stand in its line, and when the rest is over 32 KiB. Source: PROTOCOL.md, "The dump file".
 */
export function encodeDumpHeader(header: DumpHeader): Uint8Array {
  const hasRoom =
    header.dle !== undefined && encodeText(header.dle).length < DUMP_HEADER_BYTES - 2048;
  const text = encodeText(
    [
      firstLine(header),
      valueLine('CONT_FILENAME', header.continuedIn),
      valueLine('APPLICATION', header.application),
      header.partial === true ? 'PARTIAL=YES\n' : '',
      valueLine(
        'ORIGSIZE',
        header.originalSize === undefined
          ? undefined
          : `${whole('originalSize', header.originalSize, 0, Number.MAX_SAFE_INTEGER)}`,
      ),
      valueLine('NATIVE-CRC', checksumText(header.nativeChecksum)),
      valueLine('CLIENT-CRC', checksumText(header.clientChecksum)),
      valueLine('SERVER-CRC', checksumText(header.serverChecksum)),
      header.dle === undefined || !hasRoom ? '' : heredoc(header.dle),
      'To restore, position tape at start of file and run:\n',
      `\tdd if=<tape> bs=32k skip=1 | ${header.restore === undefined ? '' : `${oneLine('restore', header.restore)} `}\n\f\n`,
    ].join(''),
  );
  if (text.length > DUMP_HEADER_BYTES)
    throw new AmandaError(
      'BAD_ARGUMENT',
      `A dump header of ${text.length} bytes is over the ${DUMP_HEADER_BYTES} that it has room in.`,
    );
  const block = new Uint8Array(DUMP_HEADER_BYTES);
  block.set(text);
  return block;
}

/**
 * Reads the header at the front of a dump file, or one that a server sends without the zeros behind it.
 *
 * Errors with `BAD_DUMP_HEADER` when it is none, or is the header of something else on a tape, and
 * with `TRUNCATED` when the bytes end inside it. Source: PROTOCOL.md, "The dump file".
 */
export function decodeDumpHeader(block: Uint8Array): DumpHeader {
  const bytes = block.subarray(0, DUMP_HEADER_BYTES);
  const nul = bytes.indexOf(0);
  const text = decodeText(nul < 0 ? bytes : bytes.subarray(0, nul));
  const magic = 'AMANDA: ';
  if (!text.startsWith(magic.slice(0, text.length)))
    throw bad(`it begins with "${printable(text, 60)}"`);
  const end = text.indexOf('\n\f\n');
  if (nul < 0 && end < 0 && bytes.length < DUMP_HEADER_BYTES) {
    throw new AmandaError(
      'TRUNCATED',
      `The bytes end inside the header of a dump file, ${bytes.length} of ${DUMP_HEADER_BYTES} bytes in.`,
    );
  }
  const lines = (end < 0 ? text : text.slice(0, end)).split('\n');
  return { ...parseFirstLine(lines[0] ?? ''), ...parseLines(lines) };
}

function firstLine({
  type,
  datestamp,
  host,
  disk,
  part,
  level,
  compression,
  program,
  coding,
}: DumpHeader): string {
  if (!/^(?:X|\d{8}|\d{14})$/.test(datestamp)) throw badArgument('datestamp', datestamp);
  if (disk === '' || disk.includes('\0')) throw badArgument('disk', disk);
  if ((type === 'SPLIT_FILE') !== (part !== undefined))
    throw new AmandaError(
      'BAD_ARGUMENT',
      'A dump header has a part if it is a SPLIT_FILE, and only then.',
    );
  const total = part === undefined ? undefined : (part.total ?? -1);
  const which =
    part === undefined
      ? ''
      : ` part ${whole('part', part.number, 1, MAX_PARTS)}/${total === -1 ? -1 : whole('part', total ?? 0, part.number, MAX_PARTS)} `;
  const words = (coding ?? [])
    .map(([name, value]) => ` ${word('coding', name)} ${word(name, value)}`)
    .join('');
  if (compression === 'N') throw badArgument('compression', compression);
  const comp = compression === undefined ? 'N' : word('compression', compression);
  // Two blanks behind the disk: that is where Amanda would put the part.
  return `AMANDA: ${type} ${datestamp} ${word('host', host)} ${quote(disk)} ${which} lev ${whole('level', level, 0, 399)} comp ${comp} program ${word('program', program)}${words}\n`;
}

const MAX_PARTS = 0x7fff_ffff;

function parseFirstLine(line: string): DumpHeader {
  const words = quotedWords(line);
  const [, type = '', datestamp = '', host = '', disk = ''] = words;
  if (type !== 'FILE' && type !== 'CONT_FILE' && type !== 'SPLIT_FILE')
    throw bad(`it is of type "${printable(type, 40)}", and no dump`);
  const isSplit = type === 'SPLIT_FILE';
  const rest = words.slice(isSplit ? 7 : 5);
  const part = isSplit ? parsePart(words[5], words[6]) : undefined;
  const [lev, level = '', comp, suffix, ...tail] = rest;
  if (lev !== 'lev' || !/^\d{1,3}$/.test(level) || comp !== 'comp' || suffix === undefined)
    throw bad(`its first line is "${printable(line, 200)}"`);
  const hasProgram = tail[0] === 'program';
  const codes = hasProgram ? tail.slice(2) : [];
  const coding = Array.from(
    { length: codes.length >> 1 },
    (_, pair) => [codes[2 * pair] ?? '', codes[2 * pair + 1] ?? ''] as const,
  );
  return {
    type,
    datestamp,
    host,
    disk: unquote(disk),
    ...(part === undefined ? {} : { part }),
    level: Number(level),
    ...(suffix === 'N' ? {} : { compression: suffix }),
    // Headers from before Amanda 2.3 do not name the program.
    program: (hasProgram ? tail[1] : undefined) ?? '',
    ...(coding.length === 0 ? {} : { coding }),
  };
}

function parsePart(
  keyword: string | undefined,
  numbers: string | undefined,
): { readonly number: number; readonly total: number | undefined } {
  const [, number = '', total = ''] = /^(\d{1,10})\/(-1|\d{1,10})$/.exec(numbers ?? '') ?? [];
  if (keyword !== 'part' || number === '') throw bad('it does not say which part it is');
  return { number: Number(number), total: total === '-1' ? undefined : Number(total) };
}

function parseLines(lines: readonly string[]): Partial<DumpHeader> {
  const found: { -readonly [Key in keyof DumpHeader]?: DumpHeader[Key] } = {};
  for (let at = 1; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const [, key, value = ''] = /^([A-Z_-]{1,20})=([^]*)$/.exec(line) ?? [];
    if (key === 'CONT_FILENAME') found.continuedIn = value;
    else if (key === 'APPLICATION') found.application = value;
    else if (key === 'PARTIAL') found.partial = value.toUpperCase() === 'YES';
    else if (key === 'ORIGSIZE') found.originalSize = parseSize(value);
    else if (key === 'NATIVE-CRC') found.nativeChecksum = readChecksum(value);
    else if (key === 'CLIENT-CRC') found.clientChecksum = readChecksum(value);
    else if (key === 'SERVER-CRC') found.serverChecksum = readChecksum(value);
    else if (key === 'DLE' && value.startsWith('<<')) {
      const end = lines.indexOf(value.slice(2), at + 1);
      if (end < 0) throw bad('its DLE does not end');
      found.dle = lines.slice(at + 1, end).join('\n');
      at = end;
    } else if (key === 'DLE') found.dle = value;
    else if (line.startsWith('\tdd if=<tape> ') && line.includes('|')) {
      const restore = line.slice(line.indexOf('|') + 1).trim();
      if (restore !== '') found.restore = restore;
    }
  }
  return found;
}

function parseSize(text: string): number {
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(Number(text)))
    throw bad(`its ORIGSIZE is "${printable(text, 40)}"`);
  return Number(text);
}

function readChecksum(text: string): Checksum {
  const checksum = parseChecksum(text);
  if (checksum === undefined) throw bad(`a checksum in it is "${printable(text, 40)}"`);
  return checksum;
}

function checksumText(checksum: Checksum | undefined): string | undefined {
  if (checksum === undefined) return undefined;
  return formatChecksum(
    whole('checksum', checksum.crc, 0, 0xffff_ffff),
    whole('checksum', checksum.bytes, 0, Number.MAX_SAFE_INTEGER),
  );
}

/** A text of many lines, up to a line that is not in it. */
function heredoc(text: string): string {
  if (/\0|\n\f\n/.test(`\n${text}\n`)) throw badArgument('dle', text);
  const lines = new Set(text.split('\n'));
  let [mark, attempt] = ['ENDDLE', 0];
  while (lines.has(mark)) mark = `ENDDLE${++attempt}`;
  return `DLE=<<${mark}\n${text}\n${mark}\n`;
}

function valueLine(name: string, value: string | undefined): string {
  return value === undefined ? '' : `${name}=${oneLine(name, value)}\n`;
}

function oneLine(name: string, value: string): string {
  if (/[\n\0]/.test(value)) throw badArgument(name, value);
  return value;
}

function word(name: string, value: string): string {
  if (!/^[^\s\0"\\]+$/.test(value)) throw badArgument(name, value);
  return value;
}

function whole(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new AmandaError(
    'BAD_ARGUMENT',
    `The ${name} of a dump header is a whole number from ${least} to ${most}, not ${value}.`,
  );
}

function badArgument(name: string, value: string): AmandaError {
  return new AmandaError(
    'BAD_ARGUMENT',
    `The ${name} of a dump header cannot be "${printable(value, 80)}".`,
  );
}

function bad(why: string): AmandaError {
  return new AmandaError(
    'BAD_DUMP_HEADER',
    `This is not the header of an Amanda dump, since ${why}.`,
  );
}
