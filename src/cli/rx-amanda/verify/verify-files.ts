import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { from, lastValueFrom, toArray } from 'rxjs';
import { shownPath } from '../../../initiator/recover/escaped-path.js';
import { lines } from '../../../operators/lines.js';
import { decodeDumpHeader, DUMP_HEADER_BYTES, type DumpHeader } from '../../../wire/dumpfile.js';
import { messageOf, printable } from '../../../wire/text.js';
import { TarReader, type TarMember } from '../../archive/tar-reader.js';
import { fileFailed } from '../../terminal/file-errors.js';
import { ImageCheck, pathIn, type ImageVerdict, type VerifyFinding } from './image-check.js';

/** A dump, and what was found out about it. */
export interface Verified {
  /** Undefined for a file that is no dump. */
  readonly header: DumpHeader | undefined;
  /** Its files, or its volumes. */
  readonly source: string;
  readonly verdict: ImageVerdict;
}

interface Part {
  readonly path: string;
  readonly header: DumpHeader;
}

/**
 * Checks a dump in a file, or in several: parts in their order. The first piece on a holding disk
 * leads to the others. Rejects with `FILE_FAILED` for a file that cannot be read.
 */
export async function verifyFiles(
  paths: readonly string[],
  allowed: readonly string[],
  indexFile: string | undefined,
): Promise<Verified> {
  const source = paths.join(', ');
  const names = indexFile === undefined ? undefined : await namesIn(indexFile);
  let parts: readonly Part[];
  try {
    parts = await partsOf(paths);
  } catch (error) {
    return { header: undefined, source, verdict: headerVerdict(error) };
  }
  const header = parts[0]?.header;
  if (header === undefined) return { header, source, verdict: headerVerdict('There is no file.') };
  const check = new ImageCheck(header, allowed, names);
  for (const { path } of parts)
    for await (const chunk of bytesOf(path, DUMP_HEADER_BYTES)) await check.write(chunk);
  const verdict = await check.finish();
  const order = orderFindings(parts);
  const place = await memberAt(parts, verdict.flippedByte);
  const flipped: readonly VerifyFinding[] =
    place === undefined ? [] : [{ check: 'archive', message: `The flipped bit is in ${place}.` }];
  return {
    header,
    source,
    verdict: { ...verdict, findings: [...order, ...verdict.findings, ...flipped] },
  };
}

function headerVerdict(error: unknown): ImageVerdict {
  const message = typeof error === 'string' ? error : messageOf(error);
  return {
    bytes: 0,
    entries: 0,
    checked: ['header'],
    findings: [{ check: 'header', message }],
    flippedByte: undefined,
  };
}

/** Pieces on a holding disk name the next one. */
async function partsOf(paths: readonly string[]): Promise<Part[]> {
  const parts: Part[] = [];
  const waiting = [...paths];
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    const header = decodeDumpHeader(await frontOf(path));
    parts.push({ path, header });
    const { continuedIn } = header;
    if (continuedIn === undefined || continuedIn === '' || paths.length > 1) continue;
    const next = join(dirname(path), basename(continuedIn));
    if (parts.some((part) => part.path === next)) throw new Error('The pieces go in a circle.');
    waiting.push(next);
  }
  return parts;
}

function orderFindings(parts: readonly Part[]): VerifyFinding[] {
  const [first] = parts;
  const keyOf = ({ datestamp, host, disk, level }: DumpHeader): string =>
    [datestamp, host, disk, level].join(' ');
  const total = first?.header.part?.total;
  const wrong = parts.flatMap(({ path, header }, at): string[] => {
    const name = printable(path);
    if (first !== undefined && keyOf(header) !== keyOf(first.header))
      return [`${name} is of another dump: ${printable(keyOf(header))}.`];
    if (header.part === undefined || header.part.number === at + 1) return [];
    return [`${name} is part ${header.part.number}, where part ${at + 1} belongs.`];
  });
  if (total !== undefined && parts.length < total)
    wrong.push(`There are ${parts.length} of the ${total} parts of the dump.`);
  return wrong.map((message) => ({ check: 'parts', message }));
}

/** The member of an uncompressed archive that has a byte. */
async function memberAt(
  parts: readonly Part[],
  byte: number | undefined,
): Promise<string | undefined> {
  if (byte === undefined || parts[0]?.header.compression !== undefined) return undefined;
  let found: TarMember | undefined;
  const reader = new TarReader((member) => {
    if (member.at <= byte) found = member;
    return 'drop';
  });
  try {
    for (const { path } of parts)
      for await (const chunk of bytesOf(path, DUMP_HEADER_BYTES)) reader.push(chunk);
  } catch {
    // The damage is in a header; what precedes it counts.
  }
  return found === undefined ? undefined : printable(shownPath(pathIn(found)));
}

async function frontOf(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path);
    try {
      const block = Buffer.alloc(DUMP_HEADER_BYTES);
      const { bytesRead } = await file.read(block, 0, block.length, 0);
      return block.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw fileFailed('read', path, cause);
  }
}

async function* bytesOf(path: string, start = 0): AsyncGenerator<Buffer, void, undefined> {
  try {
    const bytes = createReadStream(path, { start, highWaterMark: 262_144 });
    for await (const chunk of bytes) yield chunk as Buffer;
  } catch (cause) {
    throw fileFailed('read', path, cause);
  }
}

/** The names in an index file, which may be compressed. */
async function namesIn(path: string): Promise<string[]> {
  const plain = createReadStream(path);
  const bytes = path.endsWith('.gz') ? plain.pipe(createGunzip()) : plain;
  plain.on('error', (error) => bytes.destroy(error));
  try {
    const names = await lastValueFrom(
      from(bytes as AsyncIterable<Uint8Array>).pipe(lines(), toArray()),
      { defaultValue: [] },
    );
    return names.filter((name) => name.startsWith('/'));
  } catch (cause) {
    throw fileFailed('read', path, cause);
  }
}
