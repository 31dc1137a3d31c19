import { formatChecksum, parseChecksum, type Checksum } from './crc32c.js';
import { levels } from './dle/dle.js';
import { AmandaError } from './errors.js';
import { quote, quotedWords, unquote } from './quote.js';
import { inRange, withoutUndefined } from './ranges.js';
import { bytesBefore, decodeText, encodeText, pairs, printable } from './text.js';

/**
 * FILE is a dump or its first piece, CONT_FILE a further piece on a holding disk, SPLIT_FILE a part
 * on a tape.
 */
export type DumpFileType = 'FILE' | 'CONT_FILE' | 'SPLIT_FILE';

/** What precedes a dump in a file: what was dumped, and how to restore it. */
export interface DumpHeader {
  /** Dump, or which piece of one. */
  readonly type: DumpFileType;
  /** `YYYYMMDD`, `YYYYMMDDhhmmss` or `X`: the start of the run. */
  readonly datestamp: string;
  /** The client, as the disklist names it. */
  readonly host: string;
  /** The disk, as the disklist names it. */
  readonly disk: string;
  /** For SPLIT_FILE: which part, from 1, of how many (undefined when unknown). */
  readonly part?: { readonly number: number; readonly total: number | undefined } | undefined;
  /** 0 … 399; 0 is a full dump. */
  readonly level: number;
  /** The suffix of a compressed dump, such as `.gz`; undefined when it is not compressed. */
  readonly compression?: string | undefined;
  /** What made the dump, such as `/bin/tar`; APPLICATION when {@link application} names it. */
  readonly program: string;
  /** The rest of the first line: `crypt`, `client_encrypt` …, each with its value. */
  readonly coding?: readonly (readonly [name: string, value: string])[] | undefined;
  /** For a piece on a holding disk: the file with the next piece. */
  readonly continuedIn?: string | undefined;
  /** The application that made the dump; undefined for the programs. */
  readonly application?: string | undefined;
  /** True for an incomplete dump. */
  readonly partial?: boolean | undefined;
  /** Size before compression, in KiB. */
  readonly originalSize?: number | undefined;
  /** Of the data as the dump program wrote it, as it left the client, and as it is in the file. */
  readonly nativeChecksum?: Checksum | undefined;
  readonly clientChecksum?: Checksum | undefined;
  readonly serverChecksum?: Checksum | undefined;
  /** The `<dle>` text of the request. */
  readonly dle?: string | undefined;
  /** The commands that restore, in one line: `/bin/gzip -dc | /bin/tar -xpGf - ...`. */
  readonly restore?: string | undefined;
}

/** Bytes of the header of a dump file; the dump follows. Source: PROTOCOL.md, "The dump file". */
export const DUMP_HEADER_BYTES = 32_768;
const MAX_DLE_BYTES = DUMP_HEADER_BYTES - 2048;

/**
 * The first 32 KiB of a dump file.
 *
 * A `dle` over 30 KiB is left out, as Amanda does. Errors with `BAD_ARGUMENT` for a value that its
 * line cannot hold, and when the rest is over 32 KiB. Source: PROTOCOL.md, "The dump file".
 */
export function encodeDumpHeader(header: DumpHeader): Uint8Array {
  const text = encodeText(
    [
      firstLine(header),
      valueLine('CONT_FILENAME', header.continuedIn),
      valueLine('APPLICATION', header.application),
      header.partial === true ? 'PARTIAL=YES\n' : '',
      valueLine('ORIGSIZE', sizeText(header.originalSize)),
      valueLine('NATIVE-CRC', checksumText(header.nativeChecksum)),
      valueLine('CLIENT-CRC', checksumText(header.clientChecksum)),
      valueLine('SERVER-CRC', checksumText(header.serverChecksum)),
      dleLines(header.dle),
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
 * Reads the header at the front of a dump file, or one that a server sends without its zeros.
 *
 * Errors with `BAD_DUMP_HEADER` for other bytes and for the header of another kind of file on a
 * tape. Errors with `TRUNCATED` when the bytes end inside it. Source: PROTOCOL.md, "The dump file".
 */
export function decodeDumpHeader(block: Uint8Array): DumpHeader {
  const bytes = block.subarray(0, DUMP_HEADER_BYTES);
  const front = bytesBefore(bytes, 0);
  const text = decodeText(front);
  const magic = 'AMANDA: ';
  if (!text.startsWith(magic.slice(0, text.length)))
    throw bad(`it begins with "${printable(text, 60)}"`);
  const isWhole = text.includes('\n\f\n') || front.length < bytes.length;
  if (!isWhole && bytes.length < DUMP_HEADER_BYTES)
    throw new AmandaError(
      'TRUNCATED',
      `The bytes end inside the header of a dump file, ${bytes.length} of ${DUMP_HEADER_BYTES} bytes in.`,
    );
  const lines = text.replace(/\n\f\n[^]*/, '').split('\n');
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
  const words = (coding ?? [])
    .map(([name, value]) => ` ${word('coding', name)} ${word(name, value)}`)
    .join('');
  if (compression === 'N') throw badArgument('compression', compression);
  const comp = compression === undefined ? 'N' : word('compression', compression);
  // Two blanks follow the disk: Amanda would put the part between them.
  return `AMANDA: ${type} ${datestamp} ${word('host', host)} ${quote(disk)} ${partText(part)} lev ${whole('level', level, ...levels)} comp ${comp} program ${word('program', program)}${words}\n`;
}

const MAX_PARTS = 0x7fff_ffff;

function partText(part: DumpHeader['part']): string {
  if (part === undefined) return '';
  const { number, total } = part;
  const of = total === undefined ? -1 : whole('part', total, number, MAX_PARTS);
  return ` part ${whole('part', number, 1, MAX_PARTS)}/${of} `;
}

function parseFirstLine(line: string): DumpHeader {
  const words = quotedWords(line);
  const [, type = '', datestamp = '', host = '', disk = ''] = words;
  if (type !== 'FILE' && type !== 'CONT_FILE' && type !== 'SPLIT_FILE')
    throw bad(`it is of type "${printable(type, 40)}", and no dump`);
  const isSplit = type === 'SPLIT_FILE';
  const rest = words.slice(isSplit ? 7 : 5);
  const found = /^lev (\d{1,3}) comp ([^]+)/.exec(rest.slice(0, 4).join(' '));
  if (found === null) throw bad(`its first line is "${printable(line, 200)}"`);
  const [, level, suffix] = found;
  const [keyword, program, ...codes] = rest.slice(4);
  // Headers older than Amanda 2.3 do not name the program.
  const hasProgram = keyword === 'program';
  const coding = hasProgram ? pairs(codes) : [];
  return withoutUndefined({
    type,
    datestamp,
    host,
    disk: unquote(disk),
    part: isSplit ? parsePart(words.slice(5, 7).join(' ')) : undefined,
    level: Number(level),
    compression: suffix === 'N' ? undefined : suffix,
    program: (hasProgram ? program : undefined) ?? '',
    coding: coding.length === 0 ? undefined : coding,
  });
}

function parsePart(text: string): DumpHeader['part'] {
  const found = /^part (\d{1,10})\/(-1|\d{1,10})$/.exec(text);
  if (found === null) throw bad('it does not say which part it is');
  return { number: Number(found[1]), total: found[2] === '-1' ? undefined : Number(found[2]) };
}

function parseLines(lines: readonly string[]): Partial<DumpHeader> {
  const found: { -readonly [Key in keyof DumpHeader]?: DumpHeader[Key] } = {};
  /** The last line that is not to be read: the first one of all, later the end of the DLE. */
  let passed = 0;
  for (const [at, line] of lines.entries()) {
    if (at <= passed) continue;
    const key = line.slice(0, line.indexOf('=') + 1);
    const value = line.slice(key.length);
    if (key === 'CONT_FILENAME=') found.continuedIn = value;
    else if (key === 'APPLICATION=') found.application = value;
    else if (key === 'PARTIAL=') found.partial = value.toUpperCase() === 'YES';
    else if (key === 'ORIGSIZE=') found.originalSize = parseSize(value);
    else if (key === 'NATIVE-CRC=') found.nativeChecksum = readChecksum(value);
    else if (key === 'CLIENT-CRC=') found.clientChecksum = readChecksum(value);
    else if (key === 'SERVER-CRC=') found.serverChecksum = readChecksum(value);
    else if (key === 'DLE=' && value.startsWith('<<')) {
      passed = lines.indexOf(value.slice(2), at + 1);
      if (passed === -1) throw bad('its DLE does not end');
      found.dle = lines.slice(at + 1, passed).join('\n');
    } else if (key === 'DLE=') found.dle = value;
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

function sizeText(size: number | undefined): string | undefined {
  return size === undefined
    ? undefined
    : `${whole('originalSize', size, 0, Number.MAX_SAFE_INTEGER)}`;
}

function checksumText(checksum: Checksum | undefined): string | undefined {
  if (checksum === undefined) return undefined;
  return formatChecksum(
    whole('checksum', checksum.crc, 0, 0xffff_ffff),
    whole('checksum', checksum.bytes, 0, Number.MAX_SAFE_INTEGER),
  );
}

/** The text, up to a line that it does not contain. */
function dleLines(text: string | undefined): string {
  if (text === undefined || encodeText(text).length >= MAX_DLE_BYTES) return '';
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
  return inRange(`The ${name} of a dump header`, value, least, most);
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
